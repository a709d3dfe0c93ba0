import ControlProtocol
@_spi(Begat) import UnixCore

/// How far a listener is with the last clients of sockets that are given up.
struct Emptying: ~Copyable {
  private let inquiry = HandshakeInquiry()
  /// Whether there are such sockets.
  var isUnderWay: Bool
  /// When to look again at what no descriptor announces; nil for never.
  var nextLook: Deadline?
  /// Until when handshakes that have begun may complete.
  private var handshakeDeadline: Deadline?

  init(isUnderWay: Bool) { self.isUnderWay = isUnderWay }

  private static let interval: Duration = .milliseconds(10)
  /// A client whose packets take longer may be reset.
  private static let longestHandshake: Duration = .seconds(1)

  mutating func lookAgain() { nextLook = Deadline(after: Emptying.interval) }

  /// Whether to wait for a client that has the server's SYN-ACK, so that it counts itself as connected, though its own
  /// ACK is still on the way.
  mutating func awaitsHandshake(at socket: borrowing Descriptor) -> Bool {
    let deadline = handshakeDeadline ?? Deadline(after: Emptying.longestHandshake)
    handshakeDeadline = deadline
    guard !deadline.hasPassed, inquiry.hasHandshakes(at: socket) else { return false }
    lookAgain()
    return true
  }
}

/// Sockets that are given up take no new client (`Descriptor.refuseNewClients`).  Those that wait there have been promised
/// a connection: closing the socket would reset them, so they are accepted first.
extension Listener {
  /// Accepts the clients that wait at such sockets, and closes each socket that has none left.
  mutating func emptySockets() {
    guard emptying.isUnderWay, hasBegun else { return }
    emptying.nextLook = nil
    if admitsNoneInTime { return closeSockets(all: true) }
    if offerKind.handsOver {
      emptyPlaces()
    } else {
      emptyStreams()
      emptyDatagrams()
    }
    emptying.isUnderWay = sockets.haveClosing
  }

  /// Whether the rate admits none of them before the drain is over: then they would wait in vain, and so would a stop.
  private var admitsNoneInTime: Bool {
    guard case .rate = accepting.pause, let retry = accepting.retryTime, let drain else { return false }
    return retry > drain.deadline
  }

  private mutating func emptyStreams() {
    for index in sockets.streams.indices.reversed() {
      guard accepting.pause == nil else { return }
      let entry = sockets.streams[index]
      guard entry.isClosing, acceptSome(at: index, entry) == .empty,
        !emptying.awaitsHandshake(at: entry.socket.descriptor),
        // A handshake may have been completed just before that question.
        acceptSome(at: index, entry) == .empty
      else { continue }
      closeSockets(at: [index])
    }
  }

  private mutating func emptyDatagrams() {
    for index in sockets.datagrams.indices.reversed() {
      let entry = sockets.datagrams[index]
      guard entry.isClosing else { continue }
      if answerSome(at: entry) {
        closeSockets(at: [sockets.streams.count + index])
      } else {
        // Perhaps none is left, and nothing announces that.
        emptying.lookAgain()
      }
    }
  }

  /// The same where programs accept: a program whose socket has no client left waits in vain, and is told to end.
  private mutating func emptyPlaces() {
    for place in handover.places.indices.reversed() where isClosing(place) {
      // A program that takes no client would be waited for until the drain is over.
      let isHopeless = handover.places[place].isLooping || drain?.isProgramTimeOver ?? false
      if !isHopeless, waitingClients(at: place).isAny || awaitsHandshake(atPlace: place) {
        emptying.lookAgain()
      } else if handover.places[place].process == 0 {
        closeSockets(at: [place])
      } else {
        endPrograms(at: place)
        emptying.lookAgain()
      }
    }
  }

  private func isClosing(_ place: Int) -> Bool {
    place < sockets.streams.count
      ? sockets.streams[place].isClosing : sockets.datagrams[place - sockets.streams.count].isClosing
  }

  private mutating func awaitsHandshake(atPlace place: Int) -> Bool {
    guard place < sockets.streams.count else { return false }
    let entry = sockets.streams[place]
    return emptying.awaitsHandshake(at: entry.socket.descriptor)
  }

  /// Closes all sockets, or those that have no last clients to accept.
  mutating func closeSockets(all: Bool) {
    let places = 0..<(sockets.streams.count + sockets.datagrams.count)
    closeSockets(at: places.reversed().filter { all || !isClosing($0) })
    if all { emptying.isUnderWay = false }
  }

  /// Closes sockets.  Other processes may have them too, so that closing alone takes none out of a poller's set.
  ///
  /// - Parameter places: streams come first; the last ones stand first.
  private mutating func closeSockets(at places: [Int]) {
    guard !places.isEmpty else { return }
    let wasWatching = accepting.isWatching
    let wasWatchingDatagrams = accepting.isWatchingDatagrams
    watchSockets(false)
    watchDatagrams(false)
    for place in places {
      if offerKind.handsOver { leavePlace(place) }
      if place < sockets.streams.count {
        sockets.closeStream(at: place)
      } else {
        sockets.closeDatagrams(at: place - sockets.streams.count)
      }
    }
    watchSockets(wasWatching)
    watchDatagrams(wasWatchingDatagrams)
    // There is nothing to resume, unless a client still needs a process.
    if sockets.isEmpty, accepting.held == nil, antechamber.isEmpty { accepting.resume() }
  }
}
