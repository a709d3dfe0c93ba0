import CSharedLayouts
import ControlProtocol
@_spi(Begat) import UnixCore

/// The page on which begatd shows its state to processes that ask it nothing.  begatd is the only writer.
public final class StatePage {
  /// The memory object, sealed: others can map it for reading only.
  public let file: SharedFile
  private let memory: MemoryMapping
  /// How many bytes fit.
  public var capacity: Int { memory.count - StatePage.headerSize }

  static let headerSize = Int(BEGAT_STATE_HEADER_SIZE)

  /// Makes a page without contents.
  ///
  /// - Parameter capacity: in bytes.
  /// - Throws: `EINVAL` before Linux 5.1.
  ///
  /// Source: memfd_create(2), fcntl(2) F_SEAL_FUTURE_WRITE.
  public init(capacity: Int) throws(SystemCallError) {
    let size = StatePage.headerSize + capacity
    let object = try MemoryFile.createSealable(name: "begat-state", size: size)
    let memory = try MemoryMapping.file(object, size: size, writable: true, isInherited: false)
    try MemoryFile.makeReadOnly(object)
    file = SharedFile(object)
    self.memory = memory
    header.pointee.magic = UInt32(BEGAT_STATE_MAGIC)
    header.pointee.version = UInt32(BEGAT_STATE_VERSION)
  }

  private var header: UnsafeMutablePointer<begat_state> {
    memory.unsafeBytes.baseAddress!.assumingMemoryBound(to: begat_state.self)
  }

  /// Replaces what the page shows.
  ///
  /// - Returns: false if there is no room for it; then nothing is changed.
  public func write(_ bytes: [UInt8]) -> Bool {
    guard bytes.count <= capacity else { return false }
    begat_begin_state(header)
    UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[StatePage.headerSize...]).copyBytes(from: bytes)
    header.pointee.length = UInt32(bytes.count)
    begat_end_state(header)
    return true
  }
}

/// The page as others than begatd see it.
public final class StatePageReader {
  private let memory: MemoryMapping

  /// Why a page cannot be read.
  public enum Problem: Error {
    /// It is being written all the time, or its writer was stopped while it wrote.
    case busy
    /// A begatd of another version has written it, or none has yet.
    case unreadable

    /// For clients that ask for the state.
    public var explanation: String {
      switch self {
      case .busy: "begatd has been writing its state for too long"
      case .unreadable: "begatd has not published its state, or is of another version"
      }
    }
  }

  /// Maps a page.
  ///
  /// - Parameter object: of `StatePage.file`; it may be closed afterwards.
  /// - Throws: `EINVAL` for an object that is too small.
  public init(_ object: borrowing Descriptor) throws(SystemCallError) {
    let size = try MemoryFile.size(of: object)
    guard size > StatePage.headerSize else { throw SystemCallError("mmap", on: "state page", code: .invalidArgument) }
    memory = try MemoryMapping.file(object, size: size, writable: false)
  }

  private static let attempts = 100
  /// Writing takes a fraction of it.
  private static let pause = Duration.milliseconds(5)

  /// Reads the state, once it is not being written.
  public func read() throws(Problem) -> DaemonState {
    let header = memory.unsafeBytes.baseAddress!.assumingMemoryBound(to: begat_state.self)
    guard header.pointee.magic == UInt32(BEGAT_STATE_MAGIC), header.pointee.version == UInt32(BEGAT_STATE_VERSION)
    else { throw .unreadable }
    for _ in 0..<StatePageReader.attempts {
      let sequence = begat_state_sequence(header)
      let length = min(Int(begat_state_length(header)), memory.count - StatePage.headerSize)
      let start = StatePage.headerSize
      let bytes = [UInt8](UnsafeRawBufferPointer(rebasing: memory.unsafeBytes[start..<(start + length)]))
      if begat_is_same_state(header, sequence) {
        guard let state = DaemonState(decoding: bytes) else { throw .unreadable }
        return state
      }
      SystemClock.sleep(for: StatePageReader.pause)
    }
    throw .busy
  }
}
