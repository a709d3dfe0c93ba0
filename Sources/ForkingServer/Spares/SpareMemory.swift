import Admission
import CSharedLayouts
@_spi(Begat) import UnixCore

/// The memory and the descriptors that a listener shares with its spares, until they meet their clients' bytes.
///
/// Each spare has a poller that watches the listening sockets: a waiting client wakes one of them, or few.  The pollers are
/// made before the forks; a spare whose place becomes free leaves its poller to the next one.
struct SpareMemory: ~Copyable {
  let board: SpareBoard
  let bell: Bell
  private let mapping: MemoryMapping
  /// A client's socket whose other end is closed.
  private let deadClient: Descriptor
  private let pollers: UnsafeMutablePointer<Poller>
  /// Whether spares may be made.
  private(set) var isUsable = true
  /// The code and data of all spares, nil before `prepare`.  It lies in this memory because spares lack the listener's stack.
  private(set) var process: UnsafePointer<SpareProcess>?

  /// - Parameter capacity: how many spares there may be at once, at least 1.
  init(capacity: Int) throws(SystemCallError) {
    let room = MemoryLayout<SpareProcess>.size + MemoryLayout<SpareProcess>.alignment
    let mapping = try MemoryMapping.shared(size: SpareBoard.size(capacity: capacity) + room, isInherited: false)
    let bell = try Bell()
    let ends = try SocketPair(kind: .stream)
    let deadClient = ends.first
    _ = consume ends.second
    let pollers = UnsafeMutablePointer<Poller>.allocate(capacity: capacity)
    // Confined listeners can make none.
    for number in 0..<capacity {
      do throws(SystemCallError) { (pollers + number).initialize(to: try Poller()) } catch {
        pollers.deinitialize(count: number)
        pollers.deallocate()
        throw error
      }
    }
    board = SpareBoard(in: mapping.unsafeBytes.baseAddress!, capacity: capacity, bell: bell.descriptor.number)
    self.mapping = mapping
    self.bell = bell
    self.deadClient = deadClient
    self.pollers = pollers
  }

  /// Watches the listening sockets for all spares.
  ///
  /// - Parameter connection: what connection processes do.
  /// - Throws: `ENOSPC` when the user watches too many descriptors.
  mutating func prepare(
    _ connection: Unmanaged<ConnectionProcess>, _ admission: UnsafePointer<Admission>,
    sockets: [StreamSocket], slots: UnsafeMutablePointer<begat_slot>, refusalLine: [UInt8]?
  ) throws(SystemCallError) {
    for number in 0..<board.capacity {
      for (index, entry) in sockets.enumerated() {
        try pollers[number].add(entry.socket.descriptor.number, [.readable, .exclusive], token: UInt64(index))
      }
    }
    let own = [bell.descriptor.number, deadClient.number]
    let kept = Array(connection.takeUnretainedValue().kept)
    let numbers = (sockets.map { $0.socket.descriptor.number } + kept + own).sorted()
    let place = mapping.unsafeBytes.baseAddress! + SpareBoard.size(capacity: board.capacity)
    let process = place.alignedUp(for: SpareProcess.self).bindMemory(to: SpareProcess.self, capacity: 1)
    process.initialize(
      to: SpareProcess(
        board: board, connection: connection, admission: admission,
        sockets: .copy(of: sockets.map(Unmanaged.passUnretained)), kept: .copy(of: numbers),
        pollers: UnsafePointer(pollers), deadClient: deadClient.number, slots: slots, refusalLine: refusalLine,
        memory: mapping.unsafeBytes))
    self.process = UnsafePointer(process)
  }

  /// Makes no more spares, and no longer watches the sockets.
  mutating func closePollers() {
    guard isUsable else { return }
    isUsable = false
    pollers.deinitialize(count: board.capacity)
  }

  func setInherited(_ isInherited: Bool) throws(SystemCallError) { try mapping.setInherited(isInherited) }
}

extension UnsafeBufferPointer {
  /// Elements at a place that does not change, never freed.
  fileprivate static func copy(of elements: [Element]) -> Self {
    let room = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
    _ = room.initialize(from: elements)
    return UnsafeBufferPointer(room)
  }
}
