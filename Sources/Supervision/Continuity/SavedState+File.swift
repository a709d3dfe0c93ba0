import JSON
@_spi(Begat) import UnixCore

/// The document in a file in memory.
extension SavedState {
  /// Why a document cannot be used; one line without the document's name.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// Writes the document into a file of its own, which cannot be changed any more.
  func write() throws(SystemCallError) -> Descriptor { try MemoryDocument.write(json, name: "begat-state") }

  /// Reads a document that may be anything.
  init(reading file: borrowing Descriptor) throws(Problem) { try self.init(reading: try MemoryDocument.read(file)) }

  init(reading bytes: [UInt8]) throws(Problem) { try self.init(reading: try MemoryDocument.parse(bytes)) }

  private init(reading value: JSONValue) throws(Problem) {
    guard let format = value["format"]?.integer, format == Self.format else {
      let found = value["format"].map { "format \($0.kind)" } ?? "no format"
      throw Problem(description: "\(found); this version of begatd reads format \(Self.format)")
    }
    do throws(AnswerProblem) { try self.init(value) } catch {
      throw Problem(description: "\(error.member): missing, or nothing that can stand there")
    }
  }
}
