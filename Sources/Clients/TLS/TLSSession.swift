import CTLS
import Glibc
@_spi(Begat) import UnixCore

/// The demands of `begat connect --tls` on the server.
public struct TLSSettings: Sendable {
  /// The owner of the certificate; nil is the host that is connected to.
  public var serverName: String?
  /// Certificates of authorities to trust instead of the machine's.
  public var authorities: String?
  /// Whether any certificate will do, of any authority and any host.
  public var acceptsAnyCertificate = false

  public init() {}
}

/// A client's end of TLS over a connected socket, spoken by OpenSSL.
///
/// Source: SSL_connect(3), SSL_read(3), SSL_write(3).
final class TLSSession: @unchecked Sendable {
  // Only one thread at a time uses it.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The outcome of a call.
  enum Turn {
    case moved(Int)
    case awaits(Poller.Interest)
    case ended
    /// The peer has closed the connection without the end that TLS has.
    case cutOff
    case failed
  }

  let socket: Descriptor
  private let native: OpaquePointer

  /// Shakes hands, and checks the server's certificate.
  ///
  /// - Parameter host: the owner of the certificate, unless the settings name another.
  init(
    _ socket: consuming Descriptor, host: String?, settings: TLSSettings, until deadline: Deadline
  ) throws {
    if let reason = ctls_load() {
      throw Failure(description: "\(String(cString: reason)): install the package libssl3 (libssl3t64, openssl-libs)")
    }
    let verifies = !settings.acceptsAnyCertificate
    let name = settings.serverName ?? host
    guard name != nil || !verifies else {
      throw Failure(description: "a Unix socket has no name that a certificate could be of: use --server-name")
    }
    try socket.setNonBlocking(true)
    let isAddress = name.map { IPv4Address($0) != nil || IPv6Address($0) != nil } ?? false
    guard
      let native = ctls_open(socket.number, name, isAddress, settings.authorities, verifies)
    else {
      throw Failure(description: "\(settings.authorities ?? "TLS"): no certificates of authorities can be read there")
    }
    self.native = native
    self.socket = socket
    while true {
      switch turn(ctls_handshake(native)) {
      case .moved: return
      case .awaits(let interest):
        guard self.socket.wait(for: interest, until: deadline) else {
          throw Failure(description: "TLS: \(ErrorCode.timedOut)")
        }
      case .ended, .cutOff, .failed: throw Failure(description: "TLS: \(reason)")
      }
    }
  }

  deinit { ctls_close(native) }

  func read(into room: UnsafeMutableRawBufferPointer) -> Turn { turn(ctls_read(native, room.baseAddress, room.count)) }

  func write(_ bytes: UnsafeRawBufferPointer) -> Turn { turn(ctls_write(native, bytes.baseAddress, bytes.count)) }

  /// Tells the peer that nothing more is sent.
  ///
  /// - Returns: false if that must be tried again when the socket can be written to.
  func end() -> Bool { ctls_end(native) != CTLS_AWAITS_WRITING }

  /// Why the last call failed.
  var reason: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
      guard let start = room.baseAddress else { return "" }
      ctls_reason(native, start, room.count)
      return String(cString: start)
    }
  }

  private func turn(_ result: Int) -> Turn {
    switch result {
    case 1...: .moved(result)
    case CTLS_AWAITS_READING: .awaits(.readable)
    case CTLS_AWAITS_WRITING: .awaits(.writable)
    case CTLS_ENDED: .ended
    case CTLS_CUT_OFF: .cutOff
    default: .failed
    }
  }
}
