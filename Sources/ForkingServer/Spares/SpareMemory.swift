import Admission
import CSharedLayouts
@_spi(Begat) import UnixCore

/// The memory and the descriptors that a listener shares with its spares, until they meet their clients' bytes.  The
/// memory is admission's, which spares have too.
///
/// Each spare has a poller that watches the listening sockets: a waiting client wakes one of them, or few.  The pollers are
/// made before the forks; a spare whose place becomes free leaves its poller to the next one.
struct SpareMemory: ~Copyable {
  let board: SpareBoard
  let bell: Bell
  private let room: UnsafeMutableRawPointer
  /// A client's socket whose other end is closed.
  private let deadClient: Descriptor
  private let pollers: UnsafeMutablePointer<Poller>
  /// Whether spares may be made.
  private(set) var isUsable = true
  /// The code and data of all spares, nil before `prepare`.  It lies in this memory because spares lack the listener's stack.
  private(set) var process: UnsafePointer<SpareProcess>?

  /// How many bytes are needed for so many spares; 0 without any.
  static func size(capacity: Int) -> Int {
    guard capacity > 0 else { return 0 }
    return SpareBoard.size(capacity: capacity) + MemoryLayout<SpareProcess>.size + MemoryLayout<SpareProcess>.alignment
  }

  /// - Parameter capacity: how many spares there may be at once, at least 1.
  /// - Parameter memory: zeroed, of `size(capacity:)`, and never unmapped by the listener.
  init(capacity: Int, in memory: UnsafeMutableRawBufferPointer) throws(SystemCallError) {
    precondition(memory.count >= SpareMemory.size(capacity: capacity))
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
    board = SpareBoard(in: memory.baseAddress!, capacity: capacity, bell: bell.descriptor.number)
    room = memory.baseAddress! + SpareBoard.size(capacity: capacity)
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
    let process = room.alignedUp(for: SpareProcess.self).bindMemory(to: SpareProcess.self, capacity: 1)
    process.initialize(
      to: SpareProcess(
        board: board, connection: connection, admission: admission,
        sockets: .copy(of: sockets.map(Unmanaged.passUnretained)), kept: .copy(of: numbers),
        pollers: UnsafePointer(pollers), deadClient: deadClient.number, slots: slots, refusalLine: refusalLine))
    self.process = UnsafePointer(process)
  }

  /// Makes no more spares, and no longer watches the sockets.
  mutating func closePollers() {
    guard isUsable else { return }
    isUsable = false
    pollers.deinitialize(count: board.capacity)
  }
}

extension UnsafeBufferPointer {
  /// Elements at a place that does not change, never freed.
  fileprivate static func copy(of elements: [Element]) -> Self {
    let room = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
    _ = room.initialize(from: elements)
    return UnsafeBufferPointer(room)
  }
}
