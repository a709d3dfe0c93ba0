import Glibc
import JSON
@_spi(Begat) import UnixCore

/// The document in a file in memory.
extension SavedState {
  /// Why a document cannot be used; one line without the document's name.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// No state is so large: hundreds of services with all of their listeners need a tenth of it.
  private static let maxSize = 16 << 20

  /// Writes the document into a file of its own, which cannot be changed any more.
  func write() throws(SystemCallError) -> Descriptor {
    let bytes = Array(json.text.utf8)
    let file = try MemoryFile.createSealable(name: "begat-state", size: bytes.count)
    let memory = try MemoryMapping.file(file, size: bytes.count, writable: true)
    memory.unsafeBytes.copyBytes(from: bytes)
    // Refused by kernels before Linux 5.1: no other process has the file.
    try? MemoryFile.makeReadOnly(file)
    return file
  }

  /// Reads a document that may be anything.
  init(reading file: borrowing Descriptor) throws(Problem) {
    let bytes: [UInt8]
    do throws(SystemCallError) { bytes = try Self.bytes(of: file) } catch {
      throw Problem(description: "\(error)")
    }
    try self.init(reading: bytes)
  }

  init(reading bytes: [UInt8]) throws(Problem) {
    let value: JSONValue
    do throws(JSONReader.Problem) { value = try JSONReader.read(bytes) } catch {
      throw Problem(description: "\(error)")
    }
    guard let format = value["format"]?.integer, format == Self.format else {
      let found = value["format"].map { "format \($0.kind)" } ?? "no format"
      throw Problem(description: "\(found); this version of begatd reads format \(Self.format)")
    }
    do throws(AnswerProblem) { try self.init(value) } catch {
      throw Problem(description: "\(error.member): missing, or nothing that can stand there")
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
