import { nameMeant } from './misspelt.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * The settings that vsftpd knows (3.0.5, and what Debian and Red Hat add to it), by what their values are. A switch is one
 * of YES, NO, TRUE, FALSE, 1 and 0.
 */
export const switches: ReadonlySet<string> = words(`
  allow_anon_ssl allow_writeable_chroot anon_mkdir_write_enable anon_other_write_enable anon_upload_enable
  anon_world_readable_only anonymous_enable ascii_download_enable ascii_upload_enable async_abor_enable background
  better_stou check_shell chmod_enable chown_uploads chroot_list_enable chroot_local_user connect_from_port_20 debug_ssl
  delete_failed_uploads deny_email_enable dirlist_enable dirmessage_enable download_enable dual_log_enable
  force_anon_data_ssl force_anon_logins_ssl force_dot_files force_local_data_ssl force_local_logins_ssl ftp_enable
  guest_enable hide_ids http_enable implicit_ssl isolate isolate_network listen listen_ipv6 local_enable lock_upload_files
  log_die log_ftp_protocol ls_recurse_enable mdtm_write no_anon_password no_log_lock one_process_model
  passwd_chroot_enable pasv_addr_resolve pasv_enable pasv_promiscuous port_enable port_promiscuous ptrace_sandbox
  require_cert require_ssl_reuse reverse_lookup_enable run_as_launching_user seccomp_sandbox secure_email_list_enable
  session_support setproctitle_enable ssl_enable ssl_request_cert ssl_sslv2 ssl_sslv3 ssl_tlsv1 ssl_tlsv1_1 ssl_tlsv1_2
  ssl_tlsv1_3 strict_ssl_read_eof strict_ssl_write_shutdown syslog_enable tcp_wrappers text_userdb_names
  tilde_user_enable use_localtime use_sendfile userlist_deny userlist_enable userlist_log utf8_filesystem validate_cert
  virtual_use_local_privs wc_logs_enable write_enable xferlog_enable xferlog_std_format
`);

export const numbers: ReadonlySet<string> = words(`
  accept_timeout anon_max_rate anon_umask bind_retries chown_upload_mode connect_timeout data_connection_timeout
  delay_failed_login delay_successful_login file_open_mode ftp_data_port idle_session_timeout listen_port local_max_rate
  local_umask max_clients max_login_fails max_per_ip pasv_max_port pasv_min_port trans_chunk_size
`);

/** Of these the value is one address. */
export const addressSettings: ReadonlySet<string> = words('listen_address listen_address6 pasv_address');

const texts = words(`
  anon_root banned_email_file banner_file ca_certs_file chown_username chroot_list_file cmds_allowed cmds_denied
  deny_file dh_param_file dsa_cert_file dsa_private_key_file ecdh_param_file email_password_file ftp_username
  ftpd_banner guest_username hide_file local_root message_file nopriv_user pam_service_name rsa_cert_file
  rsa_private_key_file secure_chroot_dir ssl_ciphers ssl_sni_hostname user_config_dir user_sub_token userlist_file
  vsftpd_log_file xferlog_file upload_file download_file remote_charset double_377
`);

const known: readonly string[] = [...switches, ...numbers, ...addressSettings, ...texts];
const knownNames: ReadonlySet<string> = new Set(known);

export function isVsftpdSetting(name: string): boolean {
  return knownNames.has(name);
}

/** The setting that a misspelt name means; undefined where none is near. */
export function vsftpdSettingMeant(name: string): string | undefined {
  // No setting is nearly as long.
  return name.length > 40 ? undefined : nameMeant(name, known);
}
