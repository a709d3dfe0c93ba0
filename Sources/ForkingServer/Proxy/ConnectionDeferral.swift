import Glibc
@_spi(Begat) import UnixCore

/// The kernel hands a connection over when its first bytes have arrived, so that a silent one costs nothing until then.
///
/// Source: tcp(7), TCP_DEFER_ACCEPT.
extension ListeningSocket {
  /// Seconds after which a silent connection is handed over anyway; one that was made by a syncookie is handed over
  /// immediately.
  private static let deferral: CInt = 3

  /// The time that is set, which the kernel has rounded to 1, 3, 7, 15 and so on; nil for a Unix socket.
  private var current: CInt? { try? descriptor.option(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT) }

  /// Lets the kernel wait for the first bytes of connections; Unix sockets cannot.  An administrator's time
  /// (`DeferAcceptSec=` in systemd.socket(5)) remains.
  func deferConnections() {
    guard current == 0 else { return }
    try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, Self.deferral)
  }

  /// Ends what `deferConnections` has begun, perhaps in a listener that could not end it.  An administrator's time remains
  /// unless it is 2 s or 3 s, which look like begat's.
  func endDeferral() {
    guard current == Self.deferral else { return }
    try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 0)
  }
}
