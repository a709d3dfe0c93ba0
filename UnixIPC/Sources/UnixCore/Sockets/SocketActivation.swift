import Glibc

/// Sockets that a service manager opened and passed on.
///
///     var sockets = try SocketActivation.take()
///     while let socket = sockets.takeFirst() {
///       if socket.name == "http" { server = try ListeningSocket(adopting: socket.descriptor) }
///     }
///
/// Source: sd_listen_fds(3).
public enum SocketActivation {
  /// A descriptor that was passed, and the name that the manager gave it.
  @frozen public struct PassedSocket: ~Copyable, Sendable {
    /// The descriptor, close-on-exec.  It keeps its number, 3 or more.
    public var descriptor: Descriptor
    /// The name from `LISTEN_FDNAMES`; "unknown" without one.
    public let name: String
  }

  /// The descriptors that were passed, in their order; those that are not taken are closed.
  public struct PassedSockets: ~Copyable, Sendable {
    /// The names of those that have not been taken, in their order.
    public private(set) var names: [String] = []
    private var descriptors = DescriptorList()

    /// The number of descriptors that have not been taken.
    public var count: Int { names.count }

    /// Hands over the next one; nil when none is left.
    public mutating func takeFirst() -> PassedSocket? {
      guard let descriptor = descriptors.takeFirst() else { return nil }
      return PassedSocket(descriptor: descriptor, name: names.removeFirst())
    }

    fileprivate mutating func append(_ descriptor: consuming Descriptor, name: String) {
      descriptors.append(descriptor)
      names.append(name)
    }
  }

  /// Why the variables cannot be believed.
  public enum ActivationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `LISTEN_FDS` is not a number of descriptors.
    case badCount(String)
    /// A descriptor was announced and is not open.
    case notOpen(CInt)

    /// One line that names the variable and what is wrong with it.
    public var description: String {
      switch self {
      case .badCount(let text): "LISTEN_FDS=\(escaped(text.utf8)): not a number of descriptors"
      case .notOpen(let number): "LISTEN_FDS: descriptor \(number) was announced and is not open"
      }
    }
  }

  /// Takes the descriptors that were passed to this process; none if the variables are absent or meant for another process.
  ///
  /// The variables are removed from the environment, the descriptors become close-on-exec.  A second call therefore finds
  /// nothing.
  public static func take() throws(ActivationError) -> PassedSockets {
    let process = variable("LISTEN_PID")
    let count = variable("LISTEN_FDS")
    let names = variable("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }

    guard let count, let process, pid_t(decimal: process) == getpid() else { return PassedSockets() }
    guard let number = CInt(decimal: count), number < 1 << 20 else { throw .badCount(count) }
    var sockets = PassedSockets()
    for index in 0..<number {
      let name = Int(index) < names.count ? String(names[Int(index)]) : "unknown"
      guard let descriptor = try? Descriptor(adopting: 3 + index) else { throw .notOpen(3 + index) }
      sockets.append(descriptor, name: name)
    }
    return sockets
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
