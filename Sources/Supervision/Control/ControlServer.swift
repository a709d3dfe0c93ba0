import Control
import Glibc
@_spi(Begat) import UnixCore

/// The server of the control sockets: part of begatd's loop, which it never delays.
///
/// It has a poller of its own, so that the loop watches one descriptor for all peers.  A turn does a bounded amount of
/// work, and everything that a peer can hold is bounded in size and time.
final class ControlServer {
  /// Bounds for peers.
  struct Limits {
    /// Peers of one socket; further ones wait in its backlog.
    var maxPeers = 64
    /// How long a peer may take for a request and for reading an answer, nanoseconds.
    var patience: Int64 = 5_000_000_000
    /// How long a peer that asks nothing may stay while others wait, nanoseconds.
    var minStay: Int64 = 250_000_000
    /// Requests that one turn takes, and connections that it accepts from each socket.
    var perTurn = 8
    /// Bytes of answers that peers of one socket have not read: beyond them, further requests wait.
    var maxUnread = 8 << 20
  }

  weak var handler: (any ControlHandler)?
  /// The sockets through which peers come.
  let doors: [ControlDoor]
  private let limits: Limits
  private let poller: Poller
  private var peers: [UInt64: ControlPeer] = [:]
  private var lastToken: UInt64
  /// Peers whose request is there, in the order in which they came.
  private var queue: [ControlPeer] = []

  init(_ doors: [ControlDoor], limits: Limits = Limits()) throws(SystemCallError) {
    self.doors = doors
    self.limits = limits
    lastToken = UInt64(doors.count)
    poller = try Poller()
    for (index, door) in doors.enumerated() {
      try poller.add(door.socket.descriptor, .readable, token: UInt64(index))
      door.isWatched = true
    }
  }

  /// Readable while there is something to do.
  var number: CInt { poller.descriptor.number }

  /// Whether orders of other users than root are refused.
  var obeysRootOnly = false {
    didSet { for door in doors where door.takesOrders { door.obeysRootOnly = obeysRootOnly } }
  }

  /// Peers that are connected.
  var peerCount: Int { peers.count }

  /// When `turn` is to be called though nothing is readable, CLOCK_MONOTONIC nanoseconds; nil if there is no such time.
  var nextTime: Int64? {
    if queue.contains(where: { !isHeldBack($0) }) { return 0 }
    var next = doors.compactMap(\.retryTime).min()
    for peer in peers.values {
      guard let due = dueTime(peer) else { continue }
      next = min(next ?? .max, due)
    }
    return next
  }

  /// When something is to be done about a peer that does nothing.
  private func dueTime(_ peer: ControlPeer) -> Int64? {
    switch peer.state {
    // Others may be waiting for its place.
    case .reading where !peer.door.isWatched && peer.door.retryTime == nil: peer.since + limits.minStay
    case .reading, .writing: peer.since + limits.patience
    case .queued, .waiting: nil
    }
  }

  /// Does what is to be done now, without waiting for any peer.
  func turn() {
    let now = SystemClock.monotonic()
    for peer in peers.values where isTooSlow(peer, now) { close(peer) }
    for door in doors where !door.isWatched && (door.retryTime ?? 0) <= now {
      door.retryTime = nil
      watch(door, hasRoom(door, now))
    }
    poller.wait(milliseconds: 0, maxCount: 64, handle)
    serveQueue()
  }

  /// Calls `turn` if it is time.
  func turnIfDue() { if let nextTime, nextTime <= SystemClock.monotonic() { turn() } }

  private func isTooSlow(_ peer: ControlPeer, _ now: Int64) -> Bool {
    switch peer.state {
    case .reading, .writing: now - peer.since >= limits.patience
    case .queued, .waiting: false
    }
  }

  private func handle(_ event: Poller.Event) {
    if event.token < UInt64(doors.count) { return accept(at: doors[Int(event.token)]) }
    guard let peer = peers[event.token] else { return }
    switch peer.state {
    case .reading:
      switch peer.read() {
      case .nothing: break
      case .request: enqueue(peer)
      case .end: close(peer)
      }
    case .queued: break
    // Only its end is reported then.
    case .waiting: close(peer)
    case .writing: advance(peer)
    }
  }

  private func enqueue(_ peer: ControlPeer) {
    watch(peer, [])
    queue.append(peer)
  }

  private func watch(_ peer: ControlPeer, _ interest: Poller.Interest) {
    guard peer.interest != interest, (try? poller.change(peer.socket, interest, token: peer.token)) != nil else {
      return
    }
    peer.interest = interest
  }

  private func close(_ peer: ControlPeer) {
    guard peers.removeValue(forKey: peer.token) != nil else { return }
    try? poller.remove(peer.socket)
    peer.door.peerCount -= 1
    if !peer.door.isWatched, peer.door.retryTime == nil { watch(peer.door, true) }
  }

  /// Closes all connections and sockets and removes the files.
  func close() {
    for peer in peers.values { try? poller.remove(peer.socket) }
    peers = [:]
    queue = []
    for door in doors {
      watch(door, false)
      door.removeFile()
    }
  }
}

// MARK: Requests and answers

extension ControlServer {
  private func serveQueue() {
    var waiting: [ControlPeer] = []
    let due = queue
    queue = []
    var served = 0
    for peer in due where peers[peer.token] === peer {
      if served < limits.perTurn, !isHeldBack(peer) {
        served += 1
        serve(peer)
      } else {
        waiting.append(peer)
      }
    }
    queue = waiting + queue
  }

  /// Whether others that came through the same socket have too many answers to read.
  private func isHeldBack(_ peer: ControlPeer) -> Bool {
    let unread = peers.values.reduce(0) { $0 + ($1.door === peer.door ? $1.unreadCount : 0) }
    return unread > limits.maxUnread
  }

  private func serve(_ peer: ControlPeer) {
    let line = peer.takeRequest()
    do throws(ControlFailure) {
      let request = try ControlRequest(line: line)
      if !peer.door.takesOrders, !request.name.isQuestion {
        throw ControlFailure(
          "\(peer.door.path) answers questions only; \(request.name.rawValue) is for the control socket")
      }
      if let refusal = peer.door.refusal(of: peer.user) { throw refusal }
      guard let handler else { throw ControlFailure("begatd is not ready for requests yet") }
      handler.handle(request, reply: ControlReply(to: peer))
    } catch { peer.answer(.failure(error)) }
  }

  /// Sends more of a peer's answer, and goes on with its next request when the answer is out.
  func advance(_ peer: ControlPeer) {
    guard peers[peer.token] === peer else { return }
    do throws(SystemCallError) {
      guard try peer.write() else { return watch(peer, .writable) }
    } catch { return close(peer) }
    guard peer.readOn() else { return close(peer) }
    if peer.queueRequest() { enqueue(peer) } else { watch(peer, .readable) }
  }
}

// MARK: Accepting

extension ControlServer {
  private func watch(_ door: ControlDoor, _ isWatched: Bool) {
    guard door.isWatched != isWatched, let index = doors.firstIndex(where: { $0 === door }) else { return }
    let interest: Poller.Interest = isWatched ? .readable : []
    guard (try? poller.change(door.socket.descriptor, interest, token: UInt64(index))) != nil else { return }
    door.isWatched = isWatched
  }

  private func hasRoom(_ door: ControlDoor, _ now: Int64) -> Bool {
    door.peerCount < limits.maxPeers || replaceablePeer(of: door, now) != nil
  }

  /// The peer that has asked nothing for the longest time, if it has had its time.
  private func replaceablePeer(of door: ControlDoor, _ now: Int64) -> ControlPeer? {
    let oldest = peers.values.filter { $0.door === door && $0.state == .reading }.min { $0.since < $1.since }
    return oldest.flatMap { now - $0.since >= limits.minStay ? $0 : nil }
  }

  private func accept(at door: ControlDoor) {
    for _ in 0..<limits.perTurn {
      let now = SystemClock.monotonic()
      guard hasRoom(door, now) else { return watch(door, false) }
      do throws(SystemCallError) {
        let accepted = try door.accept()
        if door.peerCount >= limits.maxPeers, let peer = replaceablePeer(of: door, now) { close(peer) }
        try add(accepted, at: door, now)
      } catch {
        if error.code == .wouldBlock { return }
        guard error.code.isTransientAcceptError else { return pause(door, now) }
      }
    }
  }

  private func add(_ accepted: consuming Descriptor, at door: ControlDoor, _ now: Int64) throws(SystemCallError) {
    lastToken += 1
    let peer = ControlPeer(token: lastToken, accepted, at: door, server: self, now: now)
    try poller.add(peer.socket, .readable, token: peer.token)
    peers[peer.token] = peer
    door.peerCount += 1
  }

  /// Takes over a connection whose request is being carried out.
  ///
  /// - Returns: where its answer goes.
  func adopt(_ connection: consuming Descriptor, at door: ControlDoor) throws(SystemCallError) -> ControlReply {
    lastToken += 1
    let peer = ControlPeer(
      token: lastToken, connection, at: door, server: self, now: SystemClock.monotonic(), isWaiting: true)
    try poller.add(peer.socket, [], token: peer.token)
    peers[peer.token] = peer
    door.peerCount += 1
    return ControlReply(to: peer)
  }

  private static let pause: Int64 = 1_000_000_000

  private func pause(_ door: ControlDoor, _ now: Int64) {
    door.retryTime = now + ControlServer.pause
    watch(door, false)
  }
}
