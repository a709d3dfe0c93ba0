import Glibc
@_spi(Begat) import UnixCore

/// Reads fortune databases into a collection; falls back to the embedded one where none can be read.
public struct FortuneLoader {
  /// Files or directories.
  public var databases: [String]
  public var includesOffensive: Bool
  /// Longer fortunes, in bytes as sent, are left out; nil takes all.
  public var longest: Int?

  /// Where Debian and others install fortune databases.
  public static let usualDirectory = "/usr/share/games/fortunes"
  /// More text than that, in bytes, is a mistake.
  private static let largestText = 256 << 20

  /// - Parameter databases: empty means the usual directory, if there is one.
  public init(databases: [String] = [], includesOffensive: Bool = false, longest: Int? = nil) {
    self.databases = databases
    self.includesOffensive = includesOffensive
    self.longest = longest
  }

  /// Reads everything.
  ///
  /// - Parameter warn: is told, in words, of what was damaged or could not be read and what was done instead.
  /// - Throws: only when memory cannot be had.
  public func load(warn: (String) -> Void) throws(SystemCallError) -> FortuneCollection {
    let files = findFiles(warn: warn)
    if let collection = try collect(files, warn: warn) { return collection }
    if !files.isEmpty || !databases.isEmpty { warn("no fortune could be read; the embedded collection is served") }
    let embedded = EmbeddedFortunes.text
    let bytes = UnsafeRawBufferPointer(start: embedded.utf8Start, count: embedded.utf8CodeUnitCount)
    var builder = try CollectionBuilder(textSize: bytes.count, textCount: 1, longest: nil)
    builder.texts.unsafeBytes.copyMemory(from: bytes)
    builder.add(textSize: bytes.count, delimiter: UInt8(ascii: "%"), isRotated: false)
    guard let collection = try builder.finish() else { preconditionFailure("the embedded collection is empty") }
    return collection
  }

  private func findFiles(warn: (String) -> Void) -> [FortuneFile] {
    let finder = FortuneFiles(includesOffensive: includesOffensive)
    guard !databases.isEmpty else { return (try? finder.find(FortuneLoader.usualDirectory)) ?? [] }
    var files: [FortuneFile] = []
    for path in databases {
      do throws(SystemCallError) {
        let found = try finder.find(path)
        if found.isEmpty { warn("fortune databases: \(path): no database in this directory") }
        files += found
      } catch { warn("fortune databases: \(error)") }
    }
    return files
  }

  /// Nil when there is not a single fortune.
  private func collect(_ files: [FortuneFile], warn: (String) -> Void) throws(SystemCallError) -> FortuneCollection? {
    var sizes: [(file: FortuneFile, size: Int)] = []
    var total = 0
    for file in files {
      let size = FortuneLoader.size(ofPlainFile: file.path)
      guard let size else {
        warn("fortune database \(file.path): not a plain file that can be read; left out")
        continue
      }
      guard size <= FortuneLoader.largestText - total else {
        warn("fortune database \(file.path): more than \(FortuneLoader.largestText >> 20) MiB in all; left out")
        continue
      }
      sizes.append((file, size))
      total += size
    }
    guard total > 0 else { return nil }

    var builder = try CollectionBuilder(textSize: total, textCount: sizes.count, longest: longest)
    for (file, size) in sizes { add(file, size: size, to: &builder, warn: warn) }
    return try builder.finish()
  }

  private func add(_ file: FortuneFile, size: Int, to builder: inout CollectionBuilder, warn: (String) -> Void) {
    let room = UnsafeMutableRawBufferPointer(
      rebasing: builder.texts.unsafeBytes[builder.textEnd..<(builder.textEnd + size)])
    do throws(SystemCallError) {
      let length = try FortuneLoader.read(file.path, into: room)
      let text = UnsafeRawBufferPointer(rebasing: room[..<length])
      let index = readIndex(of: file, text: text, warn: warn)
      let delimiter = index?.delimiter ?? UInt8(ascii: "%")
      let before = builder.count
      builder.add(textSize: length, delimiter: delimiter, isRotated: index?.isRotated ?? false)
      if builder.count - before <= 1, FortuneLoader.hasReturnedDelimiter(text, delimiter) {
        warn(
          "fortune database \(file.path): its lines end in CRLF, so that no \(Character(Unicode.Scalar(delimiter))) line "
            + "divides it: all \(length) bytes are one fortune; convert it with sed -i 's/\\r$//'")
      }
    } catch {
      warn("fortune database: \(error); left out")
    }
  }

  /// Whether a line would be a delimiter without the CR at its end.
  private static func hasReturnedDelimiter(_ text: UnsafeRawBufferPointer, _ delimiter: UInt8) -> Bool {
    var place = 0
    let wanted = (UInt8(ascii: "\n"), delimiter, UInt8(ascii: "\r"), UInt8(ascii: "\n"))
    while place + 4 <= text.count {
      if (text[place], text[place + 1], text[place + 2], text[place + 3]) == wanted { return true }
      place += 1
    }
    return false
  }

  /// What the `.dat` file adds to the text; the entries themselves are always found in the text.
  private func readIndex(of file: FortuneFile, text: UnsafeRawBufferPointer, warn: (String) -> Void) -> StrfileIndex? {
    guard let path = file.indexPath else { return nil }
    let advice = "indexed from the text; run strfile on it again"
    guard let size = FortuneLoader.size(ofPlainFile: path), size <= 64 << 20 else {
      warn("fortune index \(path): cannot be read; \(advice)")
      return nil
    }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, size), alignment: 8)
    defer { room.deallocate() }
    guard let length = try? FortuneLoader.read(path, into: UnsafeMutableRawBufferPointer(rebasing: room[..<size])),
      let index = StrfileIndex(UnsafeRawBufferPointer(rebasing: room[..<length]), textSize: text.count)
    else {
      warn("fortune index \(path): damaged; \(advice)")
      return nil
    }

    var position = 0
    var agrees = true
    FortuneIndexer(delimiter: index.delimiter).forEach(in: text) { span in
      // strfile counts entries of blank lines only, which are not worth telling.
      while position < index.starts.count, index.starts[position] < UInt64(span.start) { position += 1 }
      agrees = agrees && position < index.starts.count && index.starts[position] == UInt64(span.start)
    }
    if !agrees { warn("fortune index \(path): does not fit its text; \(advice)") }
    return index
  }

  private static func size(ofPlainFile path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(path, R_OK) == 0 else { return nil }
    return status.st_size
  }

  /// Reads at most the room's size; a file that has shrunk meanwhile gives less.
  private static func read(_ path: String, into room: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
    // What was a plain file a moment ago may be a FIFO now: never wait for one.
    let file = try Descriptor.open(path, [.readOnly, .nonBlocking])
    var length = 0
    do throws(SystemCallError) {
      while length < room.count {
        let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: room[length...]))
        if count == 0 { break }
        length += count
      }
    } catch {
      throw SystemCallError("read", on: path, code: error.code)
    }
    return length
  }
}
