import Glibc
@_spi(Begat) import UnixCore

/// The kernel hands a connection over when its first bytes have arrived, so that a silent one costs nothing until then.
///
/// Source: tcp(7), TCP_DEFER_ACCEPT.
extension ListeningSocket {
  /// Seconds after which a silent connection is handed over anyway; one that was made by a syncookie is handed over
  /// immediately.
  private static let deferral: CInt = 3

  /// Lets the kernel wait for the first bytes of connections; Unix sockets cannot.
  func deferConnections() { try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, Self.deferral) }

  /// Undoes `deferConnections` of a former listener; another value is an administrator's (`DeferAcceptSec=`).
  func endDeferral() {
    guard (try? descriptor.option(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT)) == Self.deferral else { return }
    try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 0)
  }
}
