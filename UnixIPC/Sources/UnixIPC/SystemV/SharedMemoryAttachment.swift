import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Shared memory mapped into this process, detached with its owner.
///
/// A forked process has it too, until it ends or executes another program.  Swift lets go of it after its last use, which
/// need not be the end of its scope: who keeps only `bytes` keeps nothing.  Nothing here keeps two processes from writing
/// at once: a `SemaphoreSet` does.
///
/// Source: shmat(2), shmdt(2).
public struct SharedMemoryAttachment: ~Copyable, @unchecked Sendable {
  public enum Access: Sendable {
    case readOnly
    case readWrite
  }

  public let segment: SharedMemorySegment
  public let access: Access
  /// All of it.  Writing where `access` is `readOnly` is a crash of the writer.
  public let bytes: UnsafeMutableRawBufferPointer

  init(_ segment: SharedMemorySegment, _ access: Access) throws(SystemCallError) {
    let size = try segment.facts().size
    let start = shmat(segment.identifier, nil, access == .readOnly ? CInt(SHM_RDONLY) : 0)
    // It returns -1 as a pointer.
    guard let start, Int(bitPattern: start) != -1 else {
      throw SystemCallError("shmat", on: segment.name, code: ErrorCode.current)
    }
    self.segment = segment
    self.access = access
    bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
  }

  deinit { shmdt(bytes.baseAddress) }

  /// Writes these bytes and not one more: what stands behind them stays.
  ///
  /// - Throws: `ERANGE` where they do not fit, and nothing is written then; `EACCES` where `access` is `readOnly`.
  public func write(_ source: [UInt8], at offset: Int = 0) throws(SystemCallError) {
    guard access == .readWrite else { throw SystemCallError("write", on: segment.name, code: .permissionDenied) }
    let place = try range(offset, source.count, "write")
    UnsafeMutableRawBufferPointer(rebasing: bytes[place]).copyBytes(from: source)
  }

  /// Exactly so many bytes.
  ///
  /// - Throws: `ERANGE` where there are not so many.
  public func read(_ count: Int, at offset: Int = 0) throws(SystemCallError) -> [UInt8] {
    Array(bytes[try range(offset, count, "read")])
  }

  /// Writes the number of bytes and then the bytes, so that a reader gets as many as were written.
  ///
  /// - Parameter offset: where the number stands: four bytes in the machine's order, `pack("L/a*", $text)` of Perl.
  /// - Throws: as `write` does.
  public func writeCounted(_ source: [UInt8], at offset: Int = 0) throws(SystemCallError) {
    guard let length = UInt32(exactly: source.count) else {
      throw SystemCallError("write", on: segment.name, code: ErrorCode.outOfRange)
    }
    try write(withUnsafeBytes(of: length, Array.init) + source, at: offset)
  }

  /// What `writeCounted` wrote there.
  ///
  /// - Throws: `ERANGE` where the number is greater than the rest of the memory: whoever may write it may write anything.
  public func readCounted(at offset: Int = 0) throws(SystemCallError) -> [UInt8] {
    let place = try range(offset, 4, "read")
    // Read once: a number that is read again may have changed since it was found good.
    let length = bytes.loadUnaligned(fromByteOffset: place.lowerBound, as: UInt32.self)
    return try read(Int(length), at: place.upperBound)
  }

  private func range(_ offset: Int, _ count: Int, _ call: String) throws(SystemCallError) -> Range<Int> {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw SystemCallError(
        call.description, on: "\(segment.name) of \(bytes.count) bytes: \(count) at \(offset)",
        code: ErrorCode.outOfRange)
    }
    return offset..<offset + count
  }
}
