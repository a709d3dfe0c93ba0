import Glibc
@_spi(Begat) import UnixCore

/// A server that forks a process for each connection.
///
///     try ConnectionServer(ListeningSocket(port: 7)).run { client, peer in
///       try client.copyAll(to: client)
///     }
///
/// The child has the connection and the standard streams, and no other descriptor; it has no signal blocked.  When
/// `maxChildren` are running, further clients wait in the backlog, and so they do while descriptors, memory or processes
/// are used up.  Every child is reaped.
///
/// A signal of ``SignalSet/terminationRequests`` stops the server: it closes the listening socket, lets the connections go
/// on for the grace period, ends those that remain with SIGTERM and SIGKILL, and returns when no child is left.  A second
/// such signal ends the grace period.
///
/// Like everything that forks, it needs a process with one thread.
///
/// Source: fork(2), accept(2), signalfd(2).
public struct ConnectionServer: ~Copyable, Sendable {
  /// A child that was just started for a connection.
  public struct StartedChild: Hashable, Sendable {
    /// Its process number.
    public let process: pid_t
    /// The client that it serves.
    public let peer: SocketAddress?
  }

  /// A child that has ended.
  public struct EndedChild: Hashable, Sendable {
    /// Its process number.
    public let process: pid_t
    /// The client that it served.
    public let peer: SocketAddress?
    /// How it ended: exit status 1 where the handler has thrown.
    public let status: ExitStatus
  }

  private let listener: ListeningSocket
  private let file: UnixSocketFile?
  private let maxChildren: Int
  private let gracePeriod: Duration

  /// Makes a server of a listening socket.
  ///
  /// - Parameter maxChildren: the greatest number of connections that are served at a time, at least 1.
  /// - Parameter gracePeriod: how long connections may go on after the server was told to stop.
  public init(
    _ listener: consuming ListeningSocket, maxChildren: Int = 100, gracePeriod: Duration = .seconds(10)
  ) {
    self.listener = listener
    file = nil
    self.maxChildren = max(1, maxChildren)
    self.gracePeriod = gracePeriod
  }

  /// Makes a server of a listening Unix socket, whose file it removes when it stops.
  ///
  /// - Parameter maxChildren: the greatest number of connections that are served at a time, at least 1.
  /// - Parameter gracePeriod: how long connections may go on after the server was told to stop.
  public init(
    _ listening: consuming ListeningUnixSocket, maxChildren: Int = 100, gracePeriod: Duration = .seconds(10)
  ) {
    file = listening.file
    listener = listening.socket
    self.maxChildren = max(1, maxChildren)
    self.gracePeriod = gracePeriod
  }

  /// Serves until a signal, the deadline or the cancellation stops the server.
  ///
  /// - Parameter deadline: when the server stops, as a signal would stop it.
  /// - Parameter cancellation: stops the server, as a signal would.
  /// - Parameter childDidEnd: is called in this process for each child that has ended.
  /// - Parameter handler: serves one connection, in a process of its own, which ends when the handler returns.  An error
  ///   that it throws is a line on standard error with the program's name and the client.
  /// - Returns: the signal that stopped the server; nil at the deadline and when it was cancelled.
  /// - Throws: `EDEADLK` in a process with threads; `EINVAL` when the listening socket was shut down.  No child is left
  ///   then, either.
  @discardableResult
  public consuming func run(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil,
    childDidEnd: (EndedChild) -> Void = { _ in },
    _ handler: (consuming Descriptor, SocketAddress?) throws -> Void
  ) throws(SystemCallError) -> Signal? {
    try run(
      until: deadline, cancelledBy: cancellation, childDidStart: { _ in }, childDidEnd: childDidEnd, handler)
  }

  /// Serves as the form without `childDidStart` does, and reports the start of each child as well.
  ///
  /// - Parameter deadline: when the server stops, as a signal would stop it.
  /// - Parameter cancellation: stops the server, as a signal would.
  /// - Parameter childDidStart: is called in this process for each child, before that child can be reported as ended.
  /// - Parameter childDidEnd: is called in this process for each child that has ended.
  /// - Parameter handler: serves one connection, in a process of its own.
  /// - Returns: the signal that stopped the server; nil at the deadline and when it was cancelled.
  /// - Throws: `EDEADLK` in a process with threads; `EINVAL` when the listening socket was shut down.
  @discardableResult
  public consuming func run(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil,
    childDidStart: (StartedChild) -> Void, childDidEnd: (EndedChild) -> Void = { _ in },
    _ handler: (consuming Descriptor, SocketAddress?) throws -> Void
  ) throws(SystemCallError) -> Signal? {
    // A parent that ignores SIGCHLD learns nothing of its children's ends.
    let ignoresChildren = (try? Signal.child.disposition) == .ignored
    if ignoresChildren { Signal.child.restoreDefault() }
    let formerMask = SignalSet.mask
    defer {
      formerMask.setThreadMask()
      if ignoresChildren { Signal.child.ignore() }
    }
    var loop = try ConnectionServerLoop(listener, maxChildren: maxChildren, childMask: formerMask)
    let result: Result<Signal?, SystemCallError>
    do throws(SystemCallError) {
      result = .success(
        try loop.serve(
          until: deadline, cancelledBy: cancellation, childDidStart: childDidStart, childDidEnd: childDidEnd, handler))
    } catch { result = .failure(error) }
    file?.removeIfOurs()
    loop.drain(for: gracePeriod, childDidEnd: childDidEnd)
    return try result.get()
  }
}
