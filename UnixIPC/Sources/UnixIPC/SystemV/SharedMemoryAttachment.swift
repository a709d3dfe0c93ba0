import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Shared memory mapped into this process, detached when this value is discarded.
///
/// A forked process has it too, until it ends or executes another program.  Nothing here keeps two processes, or two
/// threads, from writing at the same time: a ``SemaphoreSet`` does.
///
/// Source: shmat(2), shmdt(2).
public struct SharedMemoryAttachment: ~Copyable, @unchecked Sendable {
  /// What the memory is mapped for.
  public enum Access: Sendable {
    /// Reading, `SHM_RDONLY`.
    case readOnly
    /// Reading and writing.
    case readWrite
  }

  /// The segment that is mapped.
  public let segment: SharedMemorySegment
  /// What it is mapped for.
  public let access: Access
  /// The memory, for as long as this value lives; the compiler does not see to that.  A process that writes to it dies by
  /// SIGSEGV if `access` is `readOnly`.
  @_spi(Begat) public let unsafeBytes: UnsafeMutableRawBufferPointer

  init(_ segment: SharedMemorySegment, _ access: Access) throws(SystemCallError) {
    let size = try segment.metadata().size
    let start = shmat(segment.identifier, nil, access == .readOnly ? CInt(SHM_RDONLY) : 0)
    // It returns -1 as a pointer.
    guard let start, Int(bitPattern: start) != -1 else {
      throw SystemCallError("shmat", on: segment.name, code: ErrorCode.current)
    }
    self.segment = segment
    self.access = access
    unsafeBytes = UnsafeMutableRawBufferPointer(start: start, count: size)
  }

  deinit { shmdt(unsafeBytes.baseAddress) }

  /// The size in bytes.
  public var count: Int { unsafeBytes.count }

  /// Lends the bytes for reading.
  ///
  /// Another process may change them meanwhile.
  public func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result { try body(UnsafeRawBufferPointer(unsafeBytes).bytes) }

  /// Lends the bytes for writing.
  ///
  /// - Precondition: `access` is `readWrite`.
  public mutating func withMutableBytes<Result: ~Copyable, Failure: Error>(
    _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(access == .readWrite, "\(segment.name) is attached for reading")
    var bytes = unsafeBytes.mutableBytes
    return try body(&bytes)
  }

  /// Writes these bytes and leaves those behind them as they are.
  ///
  /// - Parameter source: the bytes.
  /// - Parameter offset: where the first byte goes.
  /// - Throws: `ERANGE` if they do not fit, and then nothing is written; `EACCES` if `access` is `readOnly`.
  public func write(_ source: [UInt8], at offset: Int = 0) throws(SystemCallError) {
    guard access == .readWrite else { throw SystemCallError("write", on: segment.name, code: .permissionDenied) }
    let place = try range(offset, source.count, "write")
    UnsafeMutableRawBufferPointer(rebasing: unsafeBytes[place]).copyBytes(from: source)
  }

  /// Writes a text as UTF-8, as ``write(_:at:)-([UInt8],_)`` does.
  public func write(_ text: String, at offset: Int = 0) throws(SystemCallError) {
    try write(Array(text.utf8), at: offset)
  }

  /// Reads exactly this number of bytes.
  ///
  /// - Parameter count: how many bytes are read.
  /// - Parameter offset: where the first byte is.
  /// - Throws: `ERANGE` if there are not as many.
  public func read(_ count: Int, at offset: Int = 0) throws(SystemCallError) -> [UInt8] {
    Array(unsafeBytes[try range(offset, count, "read")])
  }

  /// Writes the number of bytes and then the bytes, so that a reader gets as many as were written.
  ///
  /// - Parameter source: the bytes.
  /// - Parameter offset: where the number goes: four bytes in the machine's order, `pack("L/a*", $text)` of Perl.
  /// - Throws: as ``write(_:at:)-([UInt8],_)`` does.
  public func writeCounted(_ source: [UInt8], at offset: Int = 0) throws(SystemCallError) {
    guard let length = UInt32(exactly: source.count) else {
      throw SystemCallError("write", on: segment.name, code: ErrorCode.outOfRange)
    }
    try write(withUnsafeBytes(of: length, Array.init) + source, at: offset)
  }

  /// Writes the number of bytes of a text in UTF-8 and then the bytes, as ``writeCounted(_:at:)-([UInt8],_)`` does.
  public func writeCounted(_ text: String, at offset: Int = 0) throws(SystemCallError) {
    try writeCounted(Array(text.utf8), at: offset)
  }

  /// Reads what ``writeCounted(_:at:)-([UInt8],_)`` wrote.
  ///
  /// - Parameter offset: where the number is.
  /// - Throws: `ERANGE` if the number is greater than the rest of the memory: a process that may write may write any
  ///   number.
  public func readCounted(at offset: Int = 0) throws(SystemCallError) -> [UInt8] {
    let place = try range(offset, 4, "read")
    // Read once: a number that is read again may have changed since it was checked.
    let length = unsafeBytes.loadUnaligned(fromByteOffset: place.lowerBound, as: UInt32.self)
    return try read(Int(length), at: place.upperBound)
  }

  private func range(_ offset: Int, _ count: Int, _ call: String) throws(SystemCallError) -> Range<Int> {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw SystemCallError(
        call, on: "\(segment.name) of \(self.count) bytes: \(count) at \(offset)", code: ErrorCode.outOfRange)
    }
    return offset..<offset + count
  }
}
