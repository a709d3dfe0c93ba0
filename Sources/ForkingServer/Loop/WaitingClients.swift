@_spi(Begat) import UnixCore

/// The clients that wait at a listening socket, observed without taking any: two looks can prove whether a program that had
/// the socket in between has taken a client.
///
/// A guess would not do.  Clients that come as fast as they are served leave the backlog as long as it was, and the next
/// datagram may have the bytes and the sender of the one before it: any client could make a working program look like one
/// that takes none, and have it slowed down.
struct WaitingClients {
  /// What two looks prove.
  enum Verdict {
    case someTaken
    case noneTaken
    case unknown
  }

  private enum Content {
    case nothing
    /// Connections that wait to be accepted, where the kernel gives their number.
    case connections(UInt32?)
    case datagram(FirstDatagram)
  }

  private let content: Content

  /// Connections that wait at a stream socket.
  init(ofStream socket: borrowing Descriptor) {
    // A Unix socket that takes no new clients stays readable when it is empty.
    let count = socket.wait(for: .readable, until: .immediate) ? socket.pendingConnections : 0
    content = count == 0 ? .nothing : .connections(count)
  }

  /// Datagrams that wait.
  ///
  /// - Parameter isExact: whether to get the time stamp, without which nothing is proven for equal datagrams.
  init(ofDatagram socket: borrowing Descriptor, isExact: Bool) {
    content = FirstDatagram(at: socket, isStamped: isExact).map { .datagram($0) } ?? .nothing
  }

  /// Whether anything waits.
  var isAny: Bool { if case .nothing = content { false } else { true } }

  /// Whether a client that waited at the first look, `self`, was taken up to the second one.
  ///
  /// - Parameter hasArrival: whether a connection came in between.
  func verdict(at later: WaitingClients, hasArrival: Bool) -> Verdict {
    switch (content, later.content) {
    case (_, .nothing): return .someTaken
    case (.connections(let count?), .connections(let laterCount?)):
      if laterCount < count { return .someTaken }
      // With as many as before, each arrival may stand for a client that was taken.
      return laterCount == count && !hasArrival ? .noneTaken : .unknown
    case (.datagram(let first), .datagram(let laterFirst)):
      if first.content != laterFirst.content { return .someTaken }
      guard let stamp = first.stamp, let laterStamp = laterFirst.stamp else { return .unknown }
      return stamp == laterStamp ? .noneTaken : .someTaken
    default: return .unknown
    }
  }
}
