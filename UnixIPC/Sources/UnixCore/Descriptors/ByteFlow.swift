/// Bytes on their way in one direction: a buffer that is filled when it is empty and drained bit by bit.
@_spi(Begat) public struct ByteFlow: ~Copyable {
  private let buffer: UnsafeMutableRawBufferPointer
  private var waiting = 0..<0
  /// Whether the source has ended, or its bytes are no longer wanted.
  public private(set) var hasEnded = false

  /// Makes an empty flow.
  public init(capacity: Int = 65536) { buffer = .allocate(byteCount: capacity, alignment: 16) }

  deinit { buffer.deallocate() }

  /// Whether no byte waits to be written.
  public var isEmpty: Bool { waiting.isEmpty }
  /// Whether reading is of use now.
  public var wantsMore: Bool { isEmpty && !hasEnded }

  /// Reads once, if the buffer is empty and the source has not ended.  `EAGAIN` is no error.
  public mutating func fill(_ read: (UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int)
    throws(SystemCallError)
  {
    guard wantsMore else { return }
    do throws(SystemCallError) {
      waiting = 0..<(try read(buffer))
      hasEnded = isEmpty
    } catch {
      if error.code != .wouldBlock { throw error }
    }
  }

  /// Writes once, if bytes wait.  `EAGAIN` is no error.
  public mutating func drain(_ write: (UnsafeRawBufferPointer) throws(SystemCallError) -> Int) throws(SystemCallError) {
    guard !isEmpty else { return }
    do throws(SystemCallError) {
      let count = try write(UnsafeRawBufferPointer(rebasing: buffer[waiting]))
      waiting = (waiting.lowerBound + count)..<waiting.upperBound
    } catch {
      if error.code != .wouldBlock { throw error }
    }
  }

  /// Drops the bytes that wait, because no reader is left.
  public mutating func abandon() {
    waiting = 0..<0
    hasEnded = true
  }
}
