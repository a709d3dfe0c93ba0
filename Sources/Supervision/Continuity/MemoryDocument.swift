import Glibc
import JSON
@_spi(Begat) import UnixCore

/// JSON in a file in memory, by which one begatd speaks to the next.
enum MemoryDocument {
  /// No document is so large: that of hundreds of services with all of their listeners needs a tenth of it.
  private static let maxSize = 16 << 20

  /// Writes a document into a file of its own, which cannot be changed any more.
  static func write(_ json: JSONValue, name: String) throws(SystemCallError) -> Descriptor {
    let bytes = Array(json.text.utf8)
    let file = try MemoryFile.createSealable(name: name, size: bytes.count)
    let memory = try MemoryMapping.file(file, size: bytes.count, writable: true)
    memory.unsafeBytes.copyBytes(from: bytes)
    // Refused by kernels before Linux 5.1: no other process has the file.
    try? MemoryFile.makeReadOnly(file)
    return file
  }

  /// Reads a document that may be anything.
  static func read(_ file: borrowing Descriptor) throws(SavedState.Problem) -> JSONValue {
    let bytes: [UInt8]
    do throws(SystemCallError) { bytes = try Self.bytes(of: file) } catch {
      throw SavedState.Problem(description: "\(error)")
    }
    return try parse(bytes)
  }

  static func parse(_ bytes: [UInt8]) throws(SavedState.Problem) -> JSONValue {
    do throws(JSONReader.Problem) { return try JSONReader.read(bytes) } catch {
      throw SavedState.Problem(description: "\(error)")
    }
  }

  /// All bytes of a file.  They are not mapped: another process could make the file smaller meanwhile.  Nor are they read
  /// from where the file's offset is: all that have the file share it.
  ///
  /// Source: pread(2).
  private static func bytes(of file: borrowing Descriptor) throws(SystemCallError) -> [UInt8] {
    let size = try MemoryFile.size(of: file)
    guard size <= maxSize else { throw SystemCallError("pread", on: "\(size) bytes", code: .messageTooLong) }
    let number = file.number
    var code: ErrorCode?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { room, count in
      while count < size {
        let read = pread(number, room.baseAddress! + count, size - count, off_t(count))
        guard read > 0 else {
          if read < 0 { code = ErrorCode(rawValue: errno) }
          return
        }
        count += read
      }
    }
    if let code { throw SystemCallError("pread", code: code) }
    return bytes
  }
}
