import type { Catalogue } from './message.ts';

/** Chinese, simplified. */
export const zh: Catalogue = {
  words: {
    means: '含义',
    change: '修改',
    healthy: '没有需要修改的地方。',
    asFarAsSeen: '就所见而言正常：没有发现故障, 但有些要紧的情况未知。',
    notKnown: '未知：',
    beyondHost:
      '主机前面的防火墙（云的安全组、运营商、路由器）在主机上看不到：请再从外部运行 npx pinhole doctor ftp://HOST。',
    noneSoFar: '到目前为止没有发现故障。',
    oneFault: '一处故障。',
    faults: '{count} 处故障。',
    again: '同上',
    tryControl: '正在连接 {host} 的端口 {port}，等待欢迎信息',
    tryLogin: '正在以 {user} 登录',
    tryData: '{command}：正在尝试数据连接和列目录',
    tryRange: '正在多次发送 PASV：查看有多少端口',
    tryQuestions: '正在询问服务器支持哪些命令',
    tryTls: 'AUTH TLS：正在 TLS 之上尝试被动模式',
    tryIdle: '控制连接正在静默 {seconds} 秒',
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
      seen: '{program}：主动模式的数据连接要从端口 {port} 发起，但 {setting} 使它失去了这一权限',
      means: '只有 root 可以使用端口 {port}：每一次主动模式传输都会失败',
      change: '放弃主动模式的端口 {port}，或者以 root 权限运行',
    },
    'port-20-not-root': {
      seen: '{program} 应从端口 {port} 发起主动模式的数据连接，但它以用户 {user} 的身份运行',
      means: '只有 root 可以使用端口 {port}：每一次主动模式传输都会失败',
      change: '放弃主动模式的端口 {port}，或者由 root 启动 {program}',
    },
    'vsftpd-spaces': {
      seen: '空格出现在 vsftpd 不允许的位置',
      means: 'vsftpd 会把空格当作名称或 YES、NO 的一部分，因而无法启动（500 OOPS）',
      change: '去掉该行中的空格',
    },
    'vsftpd-line-ends': {
      seen: '该行以 Windows 的换行符 CR LF 结尾',
      means: 'vsftpd 会把 CR 当作 YES 或 NO 的一部分，因而无法启动（500 OOPS）',
      change: '去掉每一行末尾的 CR',
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
      seen: '被动端口 {range} 中的 {ports} 未放行；规则接受 RELATED，但端口 {port} 没有关联 helper',
      means:
        '4.7 及以后的内核不会自动关联 helper：任何数据连接都不会成为 RELATED，被动模式在第一次列目录时就会卡住',
      change: '只放行被动端口范围（前面的命令，使用 TLS 时也适用），或者关联 helper（最后的命令）',
    },
    'no-data-port-open': {
      seen: '防火墙接受端口 {port}，但被动端口所在的 {range} 一个也不放行，也不接受 RELATED',
      means: '无论服务器的被动端口范围是什么：客户端能登录，但第一次列目录就会卡住',
      change: '为服务器设定一个被动端口范围，例如 {suggested}，并放行它',
    },
    'passive-range-closed': {
      seen: '防火墙关闭了被动端口范围 {range}（{settings}）中的 {ports}',
      means: '客户端能在端口 {port} 登录，但 {program} 的被动模式在第一次列目录时就会卡住',
      change: '放行该范围',
    },
    'helper-sees-no-tls': {
      seen: '{program} 提供 TLS（{setting}），但数据连接只靠内核的 helper 放行',
      means: 'helper 读不懂加密的对话：使用 TLS 时，被动模式在第一次列目录时就会卡住',
      change:
        '直接放行被动端口范围 {range}，或以 Pinhole 代替 helper，由它终结 TLS（--tls terminate，docs/ftps.md）',
    },
    'helper-blind-to-tls': {
      seen: '{program} 提供 TLS（{setting}），而内核的 helper 监视其端口 {port}',
      means:
        'AUTH TLS 之后 helper 读不到任何内容：既不放行端口，也不改写地址。使用 TLS 时能用的，没有它也能用',
      change:
        '若没有 helper 时被动端口范围已放行、通告的地址也正确，则无需修改；否则以 Pinhole 代替它，由 Pinhole 终结 TLS（--tls terminate，docs/ftps.md）',
    },
    'tls-pass-other-range': {
      seen: 'tls 为 pass，{program} 的被动端口是 {range}，而 Pinhole 的 passive-ports 是 {passive}',
      means:
        'Pinhole 的每个被动端口都通向服务器的同一端口：使用 TLS 的客户端得到的端口无处可通，被动模式会卡住',
      change: '让两者使用同一范围',
    },
    'tls-pass-address-missing': {
      seen: 'tls 为 pass，而 {program} 通告的是它自己的地址',
      means: 'AUTH TLS 之后无人改写它的 227 应答：客户端得到的是服务器自己的地址',
      change: '让 {program} 通告客户端连接 Pinhole 所用的地址',
    },
    'tls-pass-address-private': {
      seen: 'tls 为 pass，而 {program} 通告 {address}',
      means: '这是内网地址，AUTH TLS 之后无人改写：被动模式会卡住',
      change: '让 {program} 通告客户端连接 Pinhole 所用的地址',
    },
    'tls-data-demands-reuse': {
      seen: 'tls-data 为 server，而 {program} 要求数据通道恢复控制通道的 TLS 会话（{setting}）',
      means: '客户端的这个会话是与 Pinhole 建立的，与服务器之间没有：服务器会拒绝每一次加密传输',
      change: '取消该要求，或让数据通道的 TLS 在 Pinhole 处终结',
    },
    'certificate-missing': {
      seen: '这个证书或私钥文件不存在',
      means: '没有它 Pinhole 无法启动；正在运行的 Pinhole 在重启之前继续使用已读入的内容',
      change: '检查 Pinhole 配置中的路径',
    },
    'certificate-unreadable': {
      seen: '这个证书或私钥文件无法读取（{code}）',
      means: '没有它 Pinhole 无法启动；正在运行的 Pinhole 在重启之前继续使用已读入的内容',
      change: '检查 Pinhole 配置中的路径',
    },
    'certificate-unusable': {
      seen: '这个文件中没有 PEM 格式的证书，或没有不带口令的私钥',
      means: 'Pinhole 无法用它启动',
      change: '转换为 PEM 格式，并去掉私钥的口令',
    },
    'certificate-key-foreign': {
      seen: '这不是 {cert} 中第一张证书的私钥',
      means: 'Pinhole 无法用这两个文件启动',
      change: '指定与证书相配的私钥；服务器自己的证书应在证书链的最前面',
    },
    'certificate-expired': {
      seen: '证书已过期：{end}',
      means: '客户端会警告用户或拒绝连接',
      change: '更新证书；文件变化后 Pinhole 会重新读取',
    },
    'certificate-expiring': {
      seen: '证书将在 {days} 天后过期：{end}',
      means: '届时客户端会警告用户或拒绝连接',
      change: '更新证书；文件变化后 Pinhole 会重新读取',
    },
    'active-range-closed': {
      seen: '防火墙关闭了端口 {range}（active-ports）中的 {ports}',
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
      seen: '端口 {port} 被转发到 {to}，但被动端口范围 {range} 中的这些端口没有转发：{ports}',
      means: '被动模式的数据连接到达本机后，没有人接收',
      change: '转发整个范围，主机和端口号都保持相同',
    },
    'forward-drops-pinhole': {
      seen: 'forward 链丢弃了 Pinhole 内核平面端口 {range} 中的 {ports}',
      means: '数据连接经由转发，并带有标记 {mark}：传输会卡住',
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
    'control-port-closed-ipv6': {
      seen: '防火墙拦截了 IPv6 的端口 {port}',
      means: '通过 IPv6 连接的客户端得不到回应；IPv4 客户端不受影响',
      change: '如果服务器的域名没有 AAAA 记录，无需更改；否则请为 IPv6 也开放这些端口',
    },
    'address-private-announced': {
      seen: '{program} 告知客户端私有地址 {address}；是否有外部客户端尚不清楚',
      means: 'NAT 之外的客户端在被动模式下无法访问该地址；内网客户端不受影响',
      change: '如果有外部客户端，请改为它们所连接的地址',
    },
    'address-may-be-missing': {
      seen: '本机地址 {address} 是私有地址，{program} 没有设定其他地址；是否有外部客户端尚不清楚',
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
      means:
        '内核会给发往 helper 所辖端口（如 21）的每个连接都关联 helper，包括陌生人的连接；6.0 及以后的内核没有该选项',
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
      seen: 'Pinhole 不接受该配置：{reason}',
      means: '它无法启动；这里没有检查它的端口',
      change: '改正它指出的内容',
    },
    'pinhole-without-config': {
      seen: '本机上有 Pinhole（{sign}），但没有找到它的配置',
      means:
        '客户端连接的是它而不是服务器：服务器自己的端口可以是关闭的。Pinhole 需要哪些端口并不知道，也没有检查',
      change:
        '指明它的配置文件（npx pinhole doctor --host --pinhole-config FILE）；如果还有从别处取来的文件，也一并指明',
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
    'forwarding-not-known': {
      seen: '端口 {port} 是否被转发到另一台主机，未知',
      means: '有一条规则在某个无法理解的条件下转换它；此后由什么决定该连接，没有检查',
      change: '另外再从外部检查服务器',
    },
    'ports-not-known': {
      seen: '客户端能否通过防火墙到达端口 {ports}，未知：{rule}',
      means: '由这条规则决定。它只针对某些地址或接口，或者其中有无法理解的内容',
      change: '从客户端所在之处检查服务器',
    },
    'helper-not-known': {
      seen: '内核的 helper 是否绑定到端口 {port}，未知：{rule}',
      means: '数据连接只靠 helper 放行。该规则只针对某些地址或接口，没有规则通向它，或者其中有无法理解的内容',
      change: '从客户端所在之处检查服务器',
    },
    'ip-forward-not-seen': {
      seen: '端口 {port} 被转发到 {to}，而 net.ipv4.ip_forward 没有检查',
      means: '如果它是 0，内核什么也不转发',
      change: '指定 sysctl -a 输出的副本（--sysctl）',
    },
    'passive-forwarding-not-known': {
      seen: '端口 {port} 被转发到 {to}；整个被动端口范围 {range} 是否也转发到同一主机的相同端口，未知',
      means: '有一条规则带有无法理解的条件',
      change: '另外再从外部检查服务器',
    },
    'range-behind-not-known': {
      seen: '端口 {port} 被转发到 {to}，而该服务器使用哪些被动端口未知（已转发或可能转发的端口：{ports}）',
      means: '只有整个范围都转发到相同的端口号，被动模式才能工作',
      change: '同时指定该服务器的设置',
    },
    'lines-not-understood': {
      seen: '无法理解的行数：{count}（{lines}）',
      means: '无论它们做什么，其余内容都不可靠：因此不判断哪些端口开放',
      change: '改为检查 nft list ruleset 或 iptables-save 的输出；另外再从外部检查服务器',
    },
    'firewall-not-seen': {
      seen: '没有读到任何防火墙规则',
      means: '客户端能否到达这些端口，未知',
      change: '在该主机上以 root 运行，或指定规则的副本（--iptables、--nftables）',
    },
    'settings-incomplete': {
      seen: '{program}：这些设置还包括其他文件，而它们没有读到',
      means: '这里没有的可能在那里：被动端口范围、公布的地址',
      change: '在该主机上运行，或把所有设置放进一个文件',
    },
    'established-dropped': {
      seen: '{chain} 丢弃到端口 {ports} 的连接的第一个数据包之后的数据包',
      means: '它既不接受已建立连接的数据包，也不按端口接受这些数据包：每个连接在第一个数据包之后就挂起',
      change: '接受已建立连接的数据包',
    },
    'chain-not-declared': {
      seen: '有规则属于没有任何一行创建的链：{chains}',
      means: 'iptables 和 iptables-restore 拒绝不存在的链的规则：该文件的规则一条也不会加载',
      change: '在规则之前创建这些链，并让 INPUT 或 FORWARD 跳转到它们',
    },
    'chain-of-other-table': {
      seen: '表 {table} 中的规则使用链 {chain}，而该表没有这条链',
      means: 'iptables 和 iptables-restore 拒绝该规则：该文件的规则一条也不会加载',
      change: '把该规则放入表 {wanted}：命令用 -t {wanted}，文件则写在 *{wanted} 一行之后',
    },
    'chain-not-shown': {
      seen: '没有任何一行创建这些规则所在的链：{chains}',
      means:
        '如果该链已经加载，这里不知道它的 hook、默认策略和其他规则；如果没有，nft -f 会拒绝该文件。因此不对端口是否开放下结论',
      change: '改为检查 nft list ruleset 的输出；同时从外部检查服务器',
    },
    'helper-object-missing': {
      seen: '该规则绑定 helper 对象 {object}，而它的表中没有这个名称的对象',
      means: '这个名称是表中对象的名称，不是内核 helper 的名称：nft 拒绝整个文件',
      change: '在表中的链之前加入该对象',
    },
    'helper-behind-translation': {
      seen: '客户端连接端口 {outside}，它被转换为 {inside}；这条规则在端口 {port} 绑定 helper，却永远看不到该端口',
      means: '按它的表和优先级，它看到的是端口 {wanted}：helper 没有绑定到任何连接，也没有数据连接被转发',
      change: '在规则中使用端口 {wanted}',
    },
    'setting-misspelt': {
      seen: '{program} 没有名为 {name} 的设置；应为 {meant}',
      means: '有未知的设置时 {program} 不启动',
      change: '改正名称',
    },
    'setting-unknown': {
      seen: '{program} 没有名为 {name} 的设置',
      means: '有未知的设置时 {program} 不启动',
      change: '删除该行，或改正名称',
    },
    'switch-unreadable': {
      seen: '{name} 的值是 {value}，{program} 既不当作开，也不当作关',
      means: '{program} 因此不启动。vsftpd 把该行其余部分（包括注释）都当作值（500 OOPS）',
      change: '只写值',
    },
    'vsftpd-value-quoted': {
      seen: '{name} 的值带有引号',
      means: 'vsftpd 没有引号：引号成为值的一部分，该值因此无法使用',
      change: '去掉引号',
    },
    'vsftpd-value-missing': {
      seen: '{name} 没有值',
      means: '有这样的行时 vsftpd 不启动（500 OOPS）',
      change: '写成 name=value，或删除该行',
    },
    'vsftpd-number-unread': {
      seen: '{name} 的值是 {value}，不以数字开头',
      means: 'vsftpd 把它读作 0，如同没有设置',
      change: '只写数字',
    },
    'vsftpd-listens-twice': {
      seen: 'listen 与 listen_ipv6 同时打开',
      means: 'vsftpd 不启动：IPv6 的监听也接受 IPv4，而一个进程只有一个监听（500 OOPS）',
      change: '关闭 listen',
    },
    'other-program-listens': {
      seen: '{program} 在端口 {port} 上监听，而读到的是 {expected} 的设置',
      means: '客户端连接的是 {program}：它的设置以及被动端口范围未知',
      change: '指定它的设置，或停止两者中不该运行的那个',
    },
    'settings-bom': {
      seen: '文件以字节顺序标记（BOM）开头',
      means: '{program} 把它当作第一行的一部分，并且不启动',
      change: '去掉它',
    },
    'address-loopback': {
      seen: '{program} 公布的地址是 {address}',
      means: '其他任何主机都无法连接它：对别处的客户端被动模式都会失败',
      change: '公布客户端所连接的地址',
    },
    'range-unreadable': {
      seen: '{program} 无法读取被动端口范围 {value}',
      means: '{program} 因此不启动',
      change: '按 {program} 的写法写这两个数值',
    },
    'settings-refused': {
      seen: '{program} 拒绝它的设置：{reply}',
      means: '它因此不启动',
      change: '改正它指出的内容',
    },
    'value-quoted': {
      seen: '{name} 的值带有单引号',
      means: '{program} 把它们当作值的一部分：告知客户端的地址不是地址',
      change: '去掉引号',
    },

    // --- a server, seen from outside -------------------------------------------------------------------
    'examination-too-long': {
      seen: '检查在 {seconds} 秒后中止，并非所有项目都已尝试',
      means: '服务器或途中的设备应答太慢，客户端也会放弃',
      change: '先处理上面所列的问题；或者给更多时间（--limit）',
    },
    'examination-interrupted': {
      seen: '已被中断：并非所有项目都已尝试',
      means: '这里没有提到的情况是未知的',
      change: '重新运行',
    },
    'control-fine': { seen: '已连接到 {address} 的端口 {port}' },
    'name-unknown': {
      seen: '域名 {host} 没有地址（{code}）',
      means: '客户端找不到该服务器',
      change: '在 DNS 中登记该域名，或更正 URL 中的域名',
    },
    'control-refused': {
      seen: '{address} 的端口 {port} 拒绝连接',
      means: '主机存在，但没有 FTP 服务器在此地址和端口上监听；或者防火墙拒绝了连接',
      change: '启动服务器，让它监听此端口，并在防火墙中放行该端口',
    },
    'control-silent': {
      seen: '{address} 的端口 {port} 在 {seconds} 秒内没有应答',
      means: '防火墙丢弃了连接请求，或该端口没有被转发，或没有主机使用此地址',
      change: '在途经的每个防火墙中放行该端口；服务器位于 NAT 之后时，在 NAT 上转发该端口',
    },
    'control-unreachable': {
      seen: '无法到达 {address} 的端口 {port}（{code}）',
      means: '没有到该主机的路由，或防火墙用 ICMP 报文拒绝了连接',
      change: '检查路由（ip route get {address}），并在途经的每个防火墙中放行该端口',
    },
    'address-skipped': {
      seen: '{host} 还有地址 {address}，连接该地址失败（{code}）',
      means: '先尝试此地址的客户端会等待或失败',
      change: '让服务器监听此地址并在防火墙中放行，或从 DNS 中删除此地址',
    },
    'greeting-fine': { seen: '{seconds} 秒后收到欢迎信息' },
    'greeting-slow': {
      seen: '{seconds} 秒后才收到欢迎信息',
      means:
        '多半是服务器先查询客户端的域名（反向 DNS），或向客户端查询用户（ident，端口 113），而没有人应答',
      change: '关闭这些查询，或让服务器所用的域名解析器能够应答',
    },
    'greeting-missing': {
      seen: '已连接到 {address} 的端口 {port}，但 {seconds} 秒内没有收到完整的欢迎信息',
      means:
        '服务器挂起，或查询客户端耗时过长，或要求连接后立即使用 TLS（端口 990），或该端口被转发到不提供 FTP 的主机',
      change: '查看服务器日志；关闭其查询；检查该端口转发到何处',
    },
    'greeting-closed': {
      seen: '已连接到 {address} 的端口 {port}，但连接在欢迎信息之前被关闭',
      means: '服务器不接受来自此地址的连接（hosts.deny、封禁、连接过多），或途中的中继到不了服务器',
      change: '查看服务器日志和中继日志',
    },
    'greeting-endless': {
      seen: '已连接到 {address} 的端口 {port}，但欢迎信息没有结束：超过 {lines} 行，或超过 {replies} 个应答',
      means: '客户端会放弃，或一直等待其结束。其余各项无法检查',
      change: '缩短服务器的欢迎信息，或更正端口',
    },
    'greeting-refused': {
      seen: '服务器的欢迎信息是：{reply}',
      means: '服务器此时不接受来自此处的会话：会话过多、被封禁，或正在关闭',
      change: '查看服务器日志，提高其上限，或解除封禁',
    },
    'greeting-foreign': {
      seen: '在端口 {port} 上应答的不是 FTP 服务器：{reply}',
      means: '此端口上是另一种服务，或该端口被转发到错误的服务',
      change: '更正 URL 中的端口或转发规则',
    },
    'login-fine': { seen: '已用 {user} 登录' },
    'login-refused': {
      seen: '{user} 的登录被拒绝：{reply}',
      means: '用户名或密码错误，或服务器不允许此用户登录。其余各项无法检查',
      change: '换用其他用户或密码，并查看服务器日志',
    },
    'anonymous-refused': {
      seen: '服务器不允许匿名用户登录：{reply}',
      means: '多数服务器都如此设置。其余各项无法检查',
      change: '指定用户（ftp://USER@HOST，密码放在 FTP_PASSWORD 中）',
    },
    'tls-demanded-refused': {
      seen: '服务器要求 TLS，而 AUTH TLS 被拒绝：{reply}',
      means: '任何客户端都无法登录或传输：服务器没有可用的证书，或途中的设备拒绝了 TLS',
      change: '为服务器配置证书和密钥，并查看其日志。若日志中没有 AUTH，则是途中的防火墙或 ALG 拒绝了它',
    },
    'login-needs-tls': {
      seen: '不使用 TLS 时 {user} 的登录被拒绝：{reply}',
      means: '服务器要求 TLS。以下各项均在 TLS 之上检查，途中的 FTP helper 看不到任何内容',
      change: '若客户端都使用 TLS，则无需修改。没有 helper 时，被动端口必须放行，通告的地址必须正确',
    },
    'session-refused': {
      seen: '第二个会话被拒绝：{reply}',
      means: '同时打开多个连接的客户端会失败，本次检查的一部分也因此未能进行',
      change: '允许同一地址建立多个会话',
    },
    'session-missing': {
      seen: '另一个到控制端口的连接在 {seconds} 秒内没有收到欢迎信息',
      means:
        '服务器或防火墙限制了同一客户端的连接数而不告知，或已停止服务。同时打开多个连接的客户端会卡住，本次检查的一部分也因此未能进行',
      change: '允许同一地址建立多个会话',
    },
    'session-ended': {
      seen: '服务器在 {command} 处结束了会话：{reply}',
      means: '服务器正在关闭、达到了上限，或因不接受某些命令而结束会话',
      change: '查看服务器日志',
    },
    'reply-endless': {
      seen: '对 {command} 的应答没有结束：超过 {lines} 行，或超过 {replies} 个应答',
      means: '客户端会放弃，或一直等待其结束',
      change: '查看服务器日志，并检查此端口上还有什么在应答',
    },
    'control-lost': {
      seen: '控制连接中断，{command} 没有得到应答',
      means: '服务器崩溃或放弃了会话，或途中的设备在此命令处切断了连接',
      change: '查看服务器日志。若日志中没有此命令，则是途中的防火墙或 ALG 切断了连接',
    },
    'command-unanswered': {
      seen: '{seconds} 秒内没有收到对 {command} 的应答',
      means: '服务器挂起，或途中的设备吞掉了命令或应答',
      change: '查看服务器日志。若服务器已应答，则是途中的防火墙或 ALG 吞掉了它',
    },
    'no-nat': { seen: '服务器看到的本客户端地址是 {seen}，与实际一致：途中没有 NAT 改变它' },
    'nat-on-the-way': {
      seen: '本客户端的地址是 {own}，服务器看到的是 {seen}',
      means: '途中有 NAT 或中继。主动模式需要那里有 helper 改写客户端的地址',
      change: '被动模式无需修改',
    },
    'passive-fine': { seen: '{command}：经由到 {address} 端口 {port} 的数据连接收到了目录列表' },
    'passive-refused': {
      seen: 'PASV 被拒绝：{reply}',
      means: '被动模式已关闭或没有可用端口。多数客户端只使用被动模式',
      change: '允许被动模式，并为其指定端口范围',
    },
    'passive-unreadable': {
      seen: '对 {command} 的应答中没有可以连接的端口：{reply}',
      means: '任何客户端都无法使用此应答',
      change: '检查途中是否有设备改动了应答，并与服务器自己的日志对照',
    },
    'announced-private': {
      seen: '所连接的服务器地址是 {reached}，其 227 应答给出的是 {announced}',
      means: '这是内网地址，外部客户端无法到达：列目录会卡住。服务器和途中的 NAT 都没有换成外部地址',
      change: '让服务器通告客户端所连接的地址，或在其前面的 NAT 上启用 helper',
    },
    'announced-unroutable': {
      seen: '所连接的服务器地址是 {reached}，其 227 应答给出的是 {announced}',
      means: '这不是其他主机能够连接的地址',
      change: '让服务器通告客户端所连接的地址',
    },
    'announced-other': {
      seen: '所连接的服务器地址是 {reached}，其 227 应答给出的是 {announced}，而无法与之建立连接',
      means: '服务器通告的地址已不属于它，或通向别处',
      change: '让服务器通告客户端所连接的地址',
    },
    'announced-other-works': {
      seen: '所连接的服务器地址是 {reached}，其 227 应答给出的是 {announced}，可以与之建立连接',
      means: '许多客户端会拒绝与所连接地址不同的地址，或改用所连接的地址',
      change: '让服务器通告客户端所连接的地址',
    },
    'data-port-closed': {
      seen: '{command} 给出端口 {port}，而 {address} 拒绝了到该端口的连接',
      means: '该端口上无人监听：NAT 只转发了控制端口，或转发到了不同的端口号；或者防火墙拒绝了该端口',
      change: '为服务器指定固定的被动端口范围，按相同端口号转发，并在防火墙中放行',
    },
    'data-port-filtered': {
      seen: '{command} 给出端口 {port}，而 {address} 在 {seconds} 秒内没有应答',
      means: '防火墙丢弃了数据连接：该端口没有放行，也没有 helper 为它放行',
      change:
        '为服务器指定固定的被动端口范围并在防火墙中放行，或让 helper 逐个放行端口（运行 Pinhole 的主机除外：在那里放行其 passive-ports）',
    },
    'data-port-rejected': {
      seen: '{command} 给出端口 {port}，而到 {address} 的连接被拒绝（{code}）',
      means: '防火墙用 ICMP 报文拒绝了数据连接：该端口没有放行，也没有 helper 为它放行',
      change:
        '为服务器指定固定的被动端口范围并在防火墙中放行，或让 helper 逐个放行端口（运行 Pinhole 的主机除外：在那里放行其 passive-ports）',
    },
    'data-refused': {
      seen: '{command} 给出端口 {port}，连接成功，但列目录失败：{reply}',
      means: '服务器没有收到或不接受此连接：连接到了另一台主机（转发有误），或其来源地址与控制连接不同',
      change: '检查端口转发到何处。若途中有改变地址的代理，让服务器接受这种连接',
    },
    'listing-refused': {
      seen: '{command}：服务器拒绝 NLST 和 LIST：{reply}',
      means: '被拒绝的是命令，而不是数据连接：数据能否通过未作检查',
      change: '换用可以列目录的用户再检查',
    },
    'data-ignored': {
      seen: '{command} 给出端口 {port}，连接成功，但服务器在 {seconds} 秒内没有开始列目录',
      means: '服务器在等待另一个连接：此连接到了另一台主机（转发有误），或其来源地址与控制连接不同',
      change: '检查端口转发到何处。若途中有改变地址的代理，让服务器接受这种连接',
    },
    'data-unfinished': {
      seen: '{command} 给出端口 {port}，连接成功，但列目录在 {seconds} 秒内没有结束',
      means:
        '数据连接通向另一台主机，或数据包在途中丢失：若某段链路的 MTU 较小，而相关的 ICMP 报文被丢弃，则小包能通过，满长的包不能',
      change:
        '检查端口转发到何处；放行 ICMP 的 "fragmentation needed" 和 "packet too big"，或让窄链路前的路由器减小连接的报文段长度',
    },
    'data-needs-tls': {
      seen: '不使用 TLS 时服务器不提供目录列表：{reply}',
      means: '端口可以使用；数据本身必须加密，未作检查',
      change: '若客户端都使用 TLS，则无需修改',
    },
    'large-not-seen': {
      seen: '服务器一次发送的数据不超过 {bytes} 字节：满长的数据包能否通过尚不清楚',
      means: '若某段链路的 MTU 较小，而相关的 ICMP 报文被丢弃，则短目录列表可用，长列表和文件会卡住',
      change: '用目录中有几百个文件的用户来检查，或下载一个大文件',
    },
    'passive-range-small': {
      seen: '{count} 次 PASV 只给出这些端口：{ports}',
      means: '同时只能进行这么多被动传输，刚用过的端口可能尚未空闲',
      change: '为服务器指定更大的端口范围，并在防火墙中放行',
    },
    'passive-range-exhausted': {
      seen: '一个会话占用被动端口等待时，第二个会话得不到端口：{reply}',
      means: '被动端口范围太小：同时有几个传输就会失败',
      change: '为服务器指定更大的端口范围，并在防火墙中放行',
    },
    'passive-range-few': {
      seen: '{count} 个会话各占用一个被动端口等待时，下一个会话得不到端口：{reply}',
      means: '被动端口范围只有 {count} 个端口：同时再多一个被动传输就会失败',
      change: '为服务器指定更大的端口范围，并在防火墙中放行',
    },
    'passive-range-few-sessions': {
      seen: 'PASV 只给出 {ports} 个不同的端口，在已有 {count} 个会话时再建立会话被拒绝：{reply}',
      means: '服务器限制了会话数：Pure-FTPd 只允许被动端口数一半的客户端，其他服务器由设置决定',
      change: '若有更多客户端同时使用，为服务器指定更大的端口范围，并在防火墙中放行',
    },
    'passive-range-refused': {
      seen: '一个会话得到 {count} 个被动端口（{ports}）之后，再发 PASV 被拒绝：{reply}',
      means: '被动端口范围中没有更多空闲端口：其他会话占用着它们，或服务器不释放无人使用过的端口',
      change: '为服务器指定更大的端口范围，在防火墙中放行，并重启服务器',
    },
    'extended-passive-refused': {
      seen: 'EPSV 被拒绝：{reply}',
      means: '先尝试 EPSV 的客户端会再用 PASV，只多一条命令。在 IPv6 上则没有被动模式可用',
      change: '让服务器和途中的 ALG 支持 RFC 2428',
    },
    'extended-passive-refused-ipv6': {
      seen: 'EPSV 在 IPv6 上被拒绝：{reply}',
      means: 'PASV 没有 IPv6 的形式，因此完全没有被动模式可用',
      change: '让服务器和途中的 ALG 支持 RFC 2428；或从 DNS 中删除其 IPv6 地址',
    },
    'helper-knows-only-pasv': {
      seen: 'PASV 给出的端口可以连接，EPSV 给出的端口不能',
      means:
        '途中的 helper 按 227 应答放行端口，而不识别 229 应答（或防火墙只放行了端口范围的一部分）。curl 等客户端先尝试 EPSV，会卡住',
      change: '放行整个端口范围，使用支持 RFC 2428 的 helper，或让服务器拒绝 EPSV',
    },
    'helper-knows-only-epsv': {
      seen: 'EPSV 给出的端口可以连接，PASV 给出的端口不能',
      means: '途中的 helper 按 229 应答放行端口，而不按 227 应答放行（或防火墙只放行了端口范围的一部分）',
      change: '放行整个端口范围，或查明 helper 为何不接受 227 应答：若其中的地址不同，多数 helper 不接受',
    },
    'active-fine': { seen: '{command}：收到来自 {address} 端口 {port} 的数据连接' },
    'active-refused': {
      seen: '{command} 被拒绝：{reply}',
      means: '服务器不支持主动模式，或不对此客户端开放',
      change: '若客户端需要则允许；多数客户端用被动模式即可',
    },
    'active-extended-refused': {
      seen: 'EPRT 被拒绝，而 PORT 未被拒绝：{reply}',
      means: '先尝试 EPRT 的客户端会再用 PORT，只多一条命令',
      change: '让服务器和途中的 ALG 支持 RFC 2428',
    },
    'active-not-rewritten': {
      seen: '以自身地址 {own} 发出的 {command} 失败：{reply}',
      means: '本客户端位于 NAT 之后，而那里没有 helper 换成外部地址：服务器得到的是它无法或不愿连接的地址',
      change: '使用被动模式，或在客户端一侧的 NAT 上启用 FTP helper',
    },
    'active-sees-other': {
      seen: '{command} 给出的本客户端地址是 {own}，服务器拒绝：它看到的本客户端地址是 {seen}',
      means: '本客户端与服务器之间有 NAT，而那里没有 helper 替换 {command} 中的地址',
      change: '使用被动模式，或在客户端一侧的 NAT 上启用 FTP helper',
    },
    'active-blocked': {
      seen: '{command} 被接受，但没有连接到达 {own}：{reply}',
      means:
        '途中的防火墙丢弃或拒绝了服务器发起的连接：客户端自己的防火墙、中间没有 FTP helper 的防火墙，或服务器的出站防火墙',
      change: '使用被动模式；否则让 helper 跟踪控制连接，并让服务器从端口 20 发起连接',
    },
    'active-silent': {
      seen: '{command} 被接受，但 {seconds} 秒内既没有连接到达 {own}，也没有应答',
      means:
        '途中的防火墙丢弃了服务器发起的连接：客户端自己的防火墙、中间没有 FTP helper 的防火墙，或服务器的出站防火墙',
      change: '使用被动模式；否则让 helper 跟踪控制连接，并让服务器从端口 20 发起连接',
    },
    'active-unfinished': {
      seen: '{command}：数据连接已到达，但列目录失败：{reply}',
      means: '连接被切断，或其数据包在途中丢失',
      change: '查看服务器日志',
    },
    'active-source-port': {
      seen: '{command}：数据连接来自端口 {port}，而不是 {expected}',
      means: '只放行源端口 {expected} 的防火墙会丢弃它。服务器可能无权使用端口 {expected}，或 NAT 改变了端口',
      change: '让服务器从端口 {expected} 发起连接',
    },
    'active-source-address': {
      seen: '{command}：数据连接来自 {source}，而所连接的服务器地址是 {reached}',
      means: '防火墙和 helper 期望它来自所连接的地址，会丢弃它',
      change: '让服务器从客户端所连接的地址发起连接：为其主动连接设置源 NAT',
    },
    'active-rewritten': {
      seen: '{command} 给出的是 {own}，服务器看到的本客户端是另一个地址（{seen}），但仍建立了连接',
      means: '途中的 helper 或 ALG 改写了此命令。只有不使用 TLS 时它才能这样做',
      change: '无需修改',
    },
    'helper-knows-only-port': {
      seen: 'PORT 之后有连接到达，EPRT 之后没有',
      means: '途中的 helper 识别 PORT，而不识别 EPRT',
      change: '使用支持 RFC 2428 的 helper，或使用被动模式',
    },
    'features-fine': { seen: '支持：{commands}' },
    'size-missing': {
      seen: '不支持 SIZE：{reply}',
      means: '客户端无法显示进度，有些客户端无法续传上传',
      change: '若该命令被禁用，则允许它',
    },
    'mdtm-missing': {
      seen: '不支持 MDTM：{reply}',
      means: '客户端无法比较文件的日期',
      change: '若该命令被禁用，则允许它',
    },
    'rest-missing': {
      seen: '不支持 REST：{reply}',
      means: '中断的传输必须从头开始',
      change: '若该命令被禁用，则允许它',
    },
    'abor-missing': {
      seen: '不支持 ABOR：{reply}',
      means: '取消传输就会失去会话',
      change: '若该命令被禁用，则允许它，并让防火墙放行它',
    },
    'tls-fine': { seen: 'AUTH TLS：被动模式在 TLS 之上同样可用' },
    'tls-none': {
      seen: 'AUTH TLS 被拒绝：{reply}',
      means: '密码和数据以明文传输',
      change:
        '若有意如此，则无需修改；否则启用 TLS。途中的 helper 在 TLS 之上看不到内容；由 Pinhole 终结 TLS 时它可以读到（--tls terminate，docs/ftps.md）',
    },
    'tls-handshake-failed': {
      seen: 'AUTH TLS 被接受，但握手失败（{code}）',
      means:
        '双方没有共同的协议版本或加密套件，或服务器没有可用的证书，或途中的设备切断了连接或丢失满长的包（MTU）',
      change: '查看服务器日志，检查其证书和私钥',
    },
    'tls-certificate': {
      seen: '服务器的证书不受信任（{code}）',
      means: '客户端会询问用户或拒绝连接。以下检查中未追究证书',
      change: '为客户端所用的域名申请证书',
    },
    'tls-certificate-expired': {
      seen: '服务器的证书已过期：{end}',
      means: '客户端会警告用户或拒绝连接。检查的其余部分接受了它',
      change: '更新证书',
    },
    'tls-data-refused': {
      seen: '在 TLS 之上，{command} 给出端口 {port}，连接成功，但列目录失败：{reply}',
      means:
        '数据连接虽然恢复了控制连接的 TLS 会话，服务器仍未接受：途中有别的设备在该端口上应答，或服务器拒绝了它',
      change: '检查端口转发到何处，并查看服务器日志',
    },
    'tls-reuse-demanded': {
      seen: '数据连接若不恢复控制连接的 TLS 会话，在 TLS 之上列目录就会失败：{reply}',
      means: '不恢复该会话的客户端在 TLS 之上得不到数据；其他客户端不受影响',
      change: '若所有客户端都会恢复会话，则无需修改；否则取消此要求',
    },
    'tls-login-refused': {
      seen: '{user} 不使用 TLS 时可以登录，使用 TLS 时被拒绝：{reply}',
      means: '服务器一提供 TLS 就使用它的客户端无法登录',
      change: '查看服务器日志；TLS 登录的设置是单独的',
    },
    'tls-blinds-address': {
      seen: '不使用 TLS 时 227 应答给出 {plain}，使用 TLS 时给出 {tls}',
      means: '途中的 helper 改写了地址，而在 TLS 之上它看不到内容：使用 TLS 的客户端得到的是内网地址',
      change:
        '以 Pinhole 代替 helper，由它终结 TLS（--tls terminate，docs/ftps.md）；或让服务器自己通告外部地址，并把固定的端口范围转发给它',
    },
    'tls-blinds-port': {
      seen: '不使用 TLS 时被动端口可以连接，使用 TLS 时 {address} 的端口 {port} 不能连接',
      means: '途中的 helper 放行它读到的端口，而在 TLS 之上它看不到内容：列目录会卡住',
      change:
        '以 Pinhole 代替 helper，由它终结 TLS（--tls terminate，docs/ftps.md）；或为服务器指定固定的被动端口范围，全部放行并转发，并让服务器通告外部地址',
    },
    'pinhole-here': { seen: '应答的是服务器前面的 Pinhole' },
    'pinhole-seen': { seen: '服务器看到的是 {seen}，即 Pinhole 连接它所用的地址' },
    'greeting-refused-by-pinhole': {
      seen: 'Pinhole 拒绝了会话：{reply}',
      means: '这是 Pinhole 的应答，而不是服务器的：它没有连上服务器，或已达到自身的上限',
      change: '查看 Pinhole 的日志，并在 Pinhole 所在的主机上尝试连接服务器',
    },
    'pinhole-passive-closed': {
      seen: '{command} 给出 Pinhole 的端口 {port}，而连接 {address} 的该端口失败（{code}）',
      means: 'Pinhole 在该端口上等待客户端：其主机的防火墙没有放行，或 Pinhole 前面的 NAT 没有转发该端口',
      change:
        '在 Pinhole 所在主机的防火墙中放行其 passive-ports；Pinhole 位于 NAT 之后时，按相同端口号转发。使用内核面（kernel plane）时，forward 链还必须接受 Pinhole 的标记。不要在 Pinhole 旁边启用内核的 helper',
    },
    'pinhole-announces-other': {
      seen: '所连接的 Pinhole 地址是 {reached}，其 227 应答给出的是 {announced}',
      means: 'Pinhole 位于改变其地址的 NAT 之后，并通告自身的地址：列目录会卡住',
      change: '把 Pinhole 的 public-address 设为客户端所连接的地址',
    },
    'pinhole-data-refused': {
      seen: '{command} 给出端口 {port}，在那里连接 Pinhole 成功，但列目录失败：{reply}',
      means: 'Pinhole 连不上服务器的被动端口，或服务器不接受此连接',
      change: '在服务器的防火墙中为 Pinhole 放行服务器的被动端口范围，并查看 Pinhole 的日志',
    },
    'pinhole-active-failed': {
      seen: '{command} 经由 Pinhole 被接受，但没有连接到达 {own}：{reply}',
      means: '服务器连不上 Pinhole 的 active-ports，或防火墙丢弃了 Pinhole 到本客户端的连接',
      change: '使用被动模式；否则为服务器放行 Pinhole 的 active-ports，并查看 Pinhole 的日志',
    },
    'pinhole-refuses-tls': {
      seen: '服务器要求 TLS，而其前面的 Pinhole 拒绝 TLS：{reply}',
      means: '任何人都无法登录。其余各项无法检查',
      change: '让 Pinhole 在两侧终结 TLS（--tls terminate，docs/ftps.md），或原样传递（--tls pass）',
    },
    'tls-none-at-pinhole': {
      seen: 'AUTH TLS 被 Pinhole 或其后的服务器拒绝：{reply}',
      means: '密码和数据以明文传输',
      change:
        '若有意如此，则无需修改；否则让 Pinhole 终结 TLS（--tls terminate，docs/ftps.md），服务器自己无需 TLS',
    },
    'tls-passes-pinhole': {
      seen: '不使用 TLS 时被动模式可以通过 Pinhole；使用 TLS 时得到 {announced}，并且失败',
      means: 'Pinhole 原样传递 TLS（--tls pass）：没有人改写地址和放行端口',
      change:
        '让 Pinhole 终结 TLS（--tls terminate，docs/ftps.md）；或让服务器通告 Pinhole 的地址，并使用与 Pinhole 相同的被动端口范围',
    },
    'tls-passive-refused': {
      seen: '不使用 TLS 时 {command} 可用，使用 TLS 时被拒绝或无法识别：{reply}',
      means: '使用 TLS 的客户端没有被动模式可用',
      change: '查看服务器日志',
    },
    'idle-fine': { seen: '静默 {seconds} 秒后控制连接仍然有效' },
    'idle-timeout': {
      seen: '静默 {seconds} 秒后服务器结束了会话：{reply}',
      means: '服务器自己的空闲会话时限短于所要求的时间',
      change: '延长该时限',
    },
    'idle-closed': {
      seen: '静默 {seconds} 秒后控制连接被直接关闭',
      means: '途中的防火墙、负载均衡器或中继会结束空闲连接，或服务器自己结束了它',
      change: '延长途中设备的时限，或以更短的间隔发送保活包',
    },
    'idle-silent': {
      seen: '静默 {seconds} 秒后不再有应答',
      means: '途中的 NAT 或防火墙已忘记此连接。长时间的传输也会因此失败：其间控制连接一直静默',
      change: '延长途中设备的时限，或以更短的间隔发送保活包',
    },
  },
};
