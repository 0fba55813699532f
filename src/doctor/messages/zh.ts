import type { Catalogue } from './message.ts';

/** Chinese, simplified. */
export const zh: Catalogue = {
  words: {
    means: '含义',
    change: '修改',
    healthy: '没有需要修改的地方。',
    oneFault: '一处故障。',
    faults: '{count} 处故障。',
  },
  findings: {
    // --- this host -------------------------------------------------------------------------------------
    'passive-range-inverted': {
      seen: '被动端口范围从 {from} 到 {to}：最小值大于最大值',
      means:
        '没有服务器会把它当作有效范围：vsftpd 忽略最大值，使用 {from} 到 65535 之间的任意端口；ProFTPD 和 Pure-FTPd 拒绝启动。防火墙放行的端口与告知客户端的端口不一致',
      change: '为 {program} 交换这两个数值，然后重启它',
    },
    'passive-range-set': { seen: '{program}：被动端口范围 {range}' },
    'passive-range-missing': {
      seen: '{program} 没有设定完整的被动端口范围',
      means: '它会告知客户端一个很大范围内的任意端口，防火墙只能把它们全部放行',
      change: '为 {program} 设定一个较小的范围，例如 {range}，并且只放行该范围',
    },
    'passive-disabled': {
      seen: '{program}：被动模式已关闭',
      means: '大多数客户端默认使用被动模式，位于 NAT 之后的客户端也只能使用被动模式',
      change: '除非服务器能够主动连接到每个客户端，否则请开启被动模式',
    },
    'port-20-unprivileged': {
      seen: '{program}：主动模式的数据连接要从端口 20 发起，但 {setting} 使它失去了这一权限',
      means: '只有 root 可以使用端口 20：每一次主动模式传输都会失败',
      change: '放弃主动模式的端口 20，或者以 root 权限运行',
    },
    'port-20-not-root': {
      seen: '{program} 应从端口 20 发起主动模式的数据连接，但它以用户 {user} 的身份运行',
      means: '只有 root 可以使用端口 20：每一次主动模式传输都会失败',
      change: '放弃主动模式的端口 20，或者由 root 启动 {program}',
    },
    'vsftpd-spaces': {
      seen: '等号旁边有空格',
      means: 'vsftpd 会把空格当作名称或值的一部分，因而无法启动（500 OOPS）',
      change: '去掉该行中的空格',
    },
    'address-not-resolved': {
      seen: 'pasv_address 是主机名 {name}，而 pasv_addr_resolve 没有开启',
      means: '不开启该选项时 vsftpd 不接受主机名，被动模式会被拒绝',
      change: '让 vsftpd 解析该主机名，或者直接写 IP 地址',
    },
    'control-port-closed': {
      seen: '防火墙关闭了端口 {port}，即 {program} 的控制端口',
      means: '客户端根本无法连接',
      change: '放行该端口',
    },
    'related-without-helper': {
      seen: '被动端口 {range} 未放行；规则接受 RELATED，但端口 {port} 没有关联 helper',
      means:
        '4.7 及以后的内核不会自动关联 helper：任何数据连接都不会成为 RELATED，被动模式在第一次列目录时就会卡住',
      change: '只放行被动端口范围（前面的命令，使用 TLS 时也适用），或者关联 helper（最后的命令）',
    },
    'passive-range-closed': {
      seen: '防火墙关闭了被动端口范围 {range}（{settings}）中的 {ports}',
      means: '客户端能在端口 {port} 登录，但 {program} 的被动模式在第一次列目录时就会卡住',
      change: '放行该范围',
    },
    'helper-sees-no-tls': {
      seen: '{program} 提供 TLS（{setting}），但数据连接只靠内核的 helper 放行',
      means: 'helper 读不懂加密的对话：使用 TLS 时，被动模式在第一次列目录时就会卡住',
      change: '直接放行被动端口范围 {range}',
    },
    'active-range-closed': {
      seen: '防火墙关闭了端口 {range}（active-ports）',
      means: '服务器无法连接到 Pinhole，主动模式会失败',
      change: '放行这些端口，可能的话只对服务器的地址放行',
    },
    'firewall-opens-too-much': {
      seen: '该规则放行了 {opened}，而 {program} 只使用其中的 {range}',
      means: '这些端口上的其他任何服务也向所有人开放',
      change: '只放行实际使用的端口',
    },
    'firewall-lets-all-in': {
      seen: '防火墙放行所有入站连接',
      means: 'FTP 可以通过，本机上其他所有监听的服务也一样可以通过',
      change:
        '对 FTP 来说无需修改。若要只放行 FTP 和 SSH，请用下列规则替换入站规则；先补上本机提供的其他服务',
    },
    'passive-range-open': { seen: '防火墙放行端口 {port} 和被动端口范围 {range}' },
    'ip-forward-off': {
      seen: 'net.ipv4.ip_forward 为 0',
      means: '本机需要把 FTP 转发到另一台主机，但内核不转发任何数据包',
      change: '开启转发，并写入 /etc/sysctl.d',
    },
    'forward-drops': {
      seen: '端口 {port} 被转发到 {to}，但 forward 链将其丢弃',
      means: '客户端无法连接：地址已被改写，数据包却被丢弃',
      change: '在 forward 链中放行',
    },
    'forward-closed': {
      seen: 'forward 链不允许 FTP 通过（端口 21）',
      means: '外部无法访问本机之后的 FTP 服务器，内网客户端也无法访问外部服务器；访问本机自身的 FTP 不受影响',
      change: '如果这是有意的，则无需修改；否则请放行',
    },
    'forwarding-fine': { seen: '端口 {port} 及其数据连接被转发到 {to}' },
    'only-control-port-forwarded': {
      seen: '只有端口 {port} 被转发到 {to}，并且没有关联 helper',
      means: '被动模式的数据连接到达本机后，没有人接收',
      change: '关联 helper，或者把服务器的被动端口范围也转发过去，或者在中间使用 Pinhole',
    },
    'passive-range-not-forwarded': {
      seen: '端口 {port} 被转发到 {to}，但被动端口范围 {range} 没有转发',
      means: '被动模式的数据连接到达本机后，没有人接收',
      change: '转发该范围，端口号保持不变',
    },
    'forward-drops-pinhole': {
      seen: 'forward 链丢弃了 Pinhole 内核平面的数据连接',
      means: '这些连接经由转发，并带有标记 {mark}：传输会卡住',
      change: '接受该标记',
    },
    'address-missing': {
      seen: '{program} 位于 NAT 之后（转发到 {to}），但没有设定外部地址',
      means: '被动模式下客户端得到的地址是 {to}，无法访问',
      change: '把客户端所连接的地址告诉它',
    },
    'address-private': {
      seen: '{program} 位于 NAT 之后，却告知客户端私有地址 {address}',
      means: '外部客户端无法访问该地址，被动模式会失败',
      change: '改为客户端所连接的地址',
    },
    'address-may-be-missing': {
      seen: '本机地址 {address} 是私有地址，{program} 没有设定其他地址',
      means: 'NAT 之外的客户端在被动模式下得到的地址是 {address}，无法访问；内网客户端不受影响',
      change: '如果有外部客户端，请把它们所连接的地址告诉 {program}',
    },
    'helper-and-pinhole': {
      seen: '内核的 helper 也在监视 Pinhole 的端口 {port}',
      means: '两者都会改写同一段对话，互相破坏对方的结果',
      change: '不要让 helper 处理该端口',
    },
    'helper-module-missing': {
      seen: '需要使用内核的 helper，但 {module} 既未加载也未编入内核',
      means: '数据连接无法识别，或者在 NAT 之后不会被改写',
      change: '立即加载，并在每次启动时加载',
    },
    'helper-loaded': { seen: '内核的 helper {module} 已存在并已关联' },
    'helper-by-sysctl': {
      seen: 'net.netfilter.nf_conntrack_helper 为 1',
      means: '内核会给目标端口的每个连接都关联 helper，包括陌生人的连接；6.0 及以后的内核没有该选项',
      change: '用规则关联 helper，然后关闭该选项',
    },
    'helper-unused': {
      seen: '{module} 已加载，但没有规则把它关联到端口 {port}',
      means: '4.7 及以后的内核不会自动关联：它不起作用。如果被动端口范围已放行，则没有影响',
      change: '只有需要靠 RELATED 放行数据连接时才关联它',
    },
    'source-port-for-destination': {
      seen: '该规则匹配的是 {wrong}，即客户端的源端口',
      means:
        '客户端连接的是目的端口 {port}，源端口是任意的：该规则放不进真正的客户端，却让任何从端口 {port} 发起的连接访问所有端口',
      change: '改为匹配 {right}',
    },
    'rule-without-target': {
      seen: '{chain} 链中的一条规则以 -j 结尾，没有目标',
      means: 'iptables-restore 会因这一行拒绝整个文件：其中的规则一条也不会加载',
      change: '写明对匹配的数据包执行什么动作',
    },
    'modules-line-overridden': {
      seen: 'IPTABLES_MODULES="{modules}" 被第 {last} 行覆盖',
      means: '该文件由 shell 读取，以最后一行为准：{modules} 不会加载',
      change: '把所有模块写在同一行',
    },
    'nat-module-first': {
      seen: '{first} 写在 {second} 之前',
      means: '它依赖 {second}：不处理依赖的加载方式会失败，{second} 的参数也来不及生效',
      change: '先写 {second}',
    },
    'modules-line-fine': { seen: 'IPTABLES_MODULES：{modules}' },
    'nobody-listens': {
      seen: '{program} 设定的端口 {port} 上没有程序监听',
      means: '客户端会得到“连接被拒绝”',
      change: '启动 {program}；如果启动失败，原因见其日志',
    },
    'pinhole-port-taken': {
      seen: '{program} 占用了应属于 Pinhole 的端口 {port}',
      means: 'Pinhole 无法监听该端口，客户端会绕过它直接连接 {program}',
      change: '把 {program} 移到其他端口，并在 Pinhole 的 server 中写该端口',
    },
    'listens-on-loopback': {
      seen: '{program} 只在回环地址上监听端口 {port}',
      means: '其他主机无法连接',
      change: '让它在客户端所连接的地址上监听',
    },
    'somebody-listens': { seen: '{program} 正在监听端口 {port}' },
    'passive-port-taken': {
      seen: '{program} 监听的端口 {port} 位于被动端口范围 {range} 之内',
      means: '防火墙为数据连接放行该端口，{program} 也因此向所有人开放',
      change: '移动其中之一',
    },
    'pinhole-config-refused': {
      seen: 'Pinhole 不接受该配置',
      means: '它无法启动；这里没有检查它的端口',
      change: '查看它给出的原因',
    },
    'no-server-found': {
      seen: '没有可供检查的 vsftpd、ProFTPD、Pure-FTPd 或 Pinhole 设置',
      means: '不知道被动端口范围：只检查了其余部分',
      change: '如果设置文件在别处，请指明',
    },
    'program-missing': {
      seen: '未检查：没有安装 {program}',
      means: '它能显示的内容在这里未知',
      change: '如果本机不使用它，则无需处理',
    },
    'rights-missing': {
      seen: '未检查：当前用户无权读取 {what}',
      means: '其中的内容在这里未知',
      change: '以 root 身份运行',
    },
    'program-failed': {
      seen: '未检查：{program} 运行失败（{code}）',
      means: '它能显示的内容在这里未知',
      change: '手工运行它，查看其输出',
    },

    // --- a server, seen from outside -------------------------------------------------------------------
  },
};
