import Glibc
import Synchronization
@_spi(Begat) import UnixCore

/// Looks up the addresses of many targets together, so that a slow name holds up no other.
///
///     let found = try HostLookups.addresses(of: targets, until: Deadline(after: .seconds(5)))
///
/// A program that waits for other things as well keeps the object itself:
///
///     let lookups = try HostLookups(of: targets)
///     // Whenever `lookups.descriptor` is readable:
///     for found in lookups.take() { … }
///
/// getaddrinfo(3) cannot be interrupted: it runs in threads of its own.  If this object is released before they are done,
/// what they find later is dropped.
///
/// Source: getaddrinfo(3), pthreads(7).
public final class HostLookups: Sendable {
  /// The result of one lookup.
  public struct Found: Sendable {
    /// The target's index in the list that was given.
    public let index: Int
    /// The addresses, or the reason why there are none.
    public let addresses: Result<[SocketAddress], Hosts.LookupError>
  }

  private struct State {
    var next = 0
    var found: [Found] = []
  }

  private let targets: [ConnectionTarget]
  /// The indices of those that need a thread.
  private let names: [Int]
  private let state = Mutex(State())
  /// Readable while there is something to take.
  public let descriptor: Descriptor
  private let wakeWriter: Descriptor

  /// More names than this are looked up in turns.
  private static let maxThreads = 256
  private static let stackSize = 512 << 10

  /// Starts to look up the targets' addresses.
  ///
  /// - Throws: `EMFILE` or `ENFILE` if there is no descriptor left.
  public init(of targets: [ConnectionTarget]) throws(SystemCallError) {
    self.targets = targets
    names = targets.indices.filter { targets[$0].numericAddress == nil }
    let pipe = try PipeEnds()
    try pipe.writeEnd.setNonBlocking(true)
    descriptor = pipe.readEnd
    wakeWriter = pipe.writeEnd
    for index in targets.indices {
      if let address = targets[index].numericAddress { report(Found(index: index, addresses: .success([address]))) }
    }
    for number in 0..<min(names.count, Self.maxThreads) where !startThread() {
      // Fewer threads take longer; without any, this one has to do.
      if number == 0 { lookUpInTurn() }
      break
    }
  }

  /// Takes what has been found since the last call.
  public func take() -> [Found] {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      // Before the look, not after: a byte that is written between both would be lost.
      if descriptor.wait(for: .readable, until: .immediate) { _ = try? descriptor.read(into: room) }
    }
    return state.withLock { state in
      defer { state.found = [] }
      return state.found
    }
  }

  /// Looks up the addresses of many targets within one deadline.
  ///
  /// - Parameter targets: the hosts and Unix sockets.
  /// - Parameter deadline: ends the wait for those that are not found yet.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Returns: the addresses of each target in the same order, or the reason why there are none: for a name that was still
  ///   looked up at the end of the wait, "no answer in time".
  /// - Throws: `EMFILE` or `ENFILE` if there is no descriptor left.
  public static func addresses(
    of targets: [ConnectionTarget], until deadline: Deadline, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> [Result<[SocketAddress], Hosts.LookupError>] {
    var results = targets.map { target in
      Result<[SocketAddress], Hosts.LookupError>.failure(
        Hosts.LookupError(host: target.hostName, reason: "no answer in time"))
    }
    let lookups = try HostLookups(of: targets)
    var missing = targets.count
    while missing > 0, lookups.descriptor.wait(for: .readable, until: deadline, cancelledBy: cancellation) {
      for found in lookups.take() {
        results[found.index] = found.addresses
        missing -= 1
      }
    }
    return results
  }

  private func startThread() -> Bool {
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return false }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, Self.stackSize)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let context = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, &attributes,
      { context in
        if let context { Unmanaged<HostLookups>.fromOpaque(context).takeRetainedValue().lookUpInTurn() }
        return nil
      }, context.toOpaque())
    if result != 0 { context.release() }
    return result == 0
  }

  private func lookUpInTurn() {
    while let index = takeTurn() {
      report(
        Found(
          index: index,
          addresses: Result { () throws(Hosts.LookupError) in try targets[index].addresses() }))
    }
  }

  private func takeTurn() -> Int? {
    state.withLock { state in
      guard state.next < names.count else { return nil }
      defer { state.next += 1 }
      return names[state.next]
    }
  }

  private func report(_ found: Found) {
    state.withLock { $0.found.append(found) }
    // A full pipe is readable already.
    var byte: UInt8 = 0
    _ = withUnsafeBytes(of: &byte) { bytes in try? wakeWriter.write(bytes) }
  }
}

extension ConnectionTarget {
  /// The host, or the Unix socket, as an error names it.
  fileprivate var hostName: String {
    switch self {
    case .host(let host, _): host
    case .unix(let address): address.description
    }
  }

  /// The address that its words say themselves, without a name to look up.
  fileprivate var numericAddress: SocketAddress? {
    switch self {
    case .host(let host, let port): SocketAddress(host: host.contains(":") ? "[\(host)]" : host, port: port)
    case .unix(let address): address
    }
  }
}
