import Glibc
@_spi(Begat) import UnixCore

/// Connections that the kernel hands over when their first bytes are there: a silent one costs nothing until then.
///
/// Source: tcp(7), TCP_DEFER_ACCEPT.
extension ListeningSocket {
  /// After so long a silent connection is handed over nevertheless: the kernel answers its next packet, and one that came
  /// by a syncookie was handed over from the beginning.
  private static let deferral: CInt = 3

  /// Lets the kernel wait for the first bytes of connections; Unix sockets cannot.
  func deferConnections() { try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, Self.deferral) }

  /// Ends what `deferConnections` of another listener has begun.  Another time is an administrator's (`DeferAcceptSec=`).
  func endDeferral() {
    guard (try? descriptor.option(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT)) == Self.deferral else { return }
    try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 0)
  }
}
