import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat cat`: copies files, the output of commands and standard input to standard output, in the order given.
///
/// What cannot be read, and a command that fails, is said on standard error, and the rest goes on.  A reader that leaves
/// ends it by SIGPIPE, as it does every filter.
public struct CatClient: Sendable {
  public var sources: [CatSource]

  private let command = CommandRun(command: "begat cat")

  public init(sources: [CatSource]) {
    self.sources = sources
  }

  /// - Returns: whether everything could be read, and every command ended well.
  public func run() -> Bool {
    command.attempt(failure: false) {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 4096)
      defer { buffer.deallocate() }
      var isWell = true
      for source in sources where !copy(source, by: buffer) { isWell = false }
      return isWell
    }
  }

  private func copy(_ source: CatSource, by buffer: UnsafeMutableRawBufferPointer) -> Bool {
    do throws(SystemCallError) {
      switch source {
      case .standardInput:
        return try Descriptor.withBorrowed(StandardStream.input.rawValue) { (input) throws(SystemCallError) in
          guard !StandardStream.outputIsAhead(of: input) else {
            return complain("standard input: is the output itself")
          }
          return try copy(input, named: "standard input", by: buffer)
        }
      case .file(let path):
        let file = try Descriptor.open(path, .readOnly)
        guard !StandardStream.outputIsAhead(of: file) else { return complain("\(path): is the output itself") }
        return try copy(file, named: path.description, by: buffer)
      case .command(let text):
        return try copy(command: text, by: buffer)
      }
    } catch { return complain("\(error)") }
  }

  private func copy(command text: String, by buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Bool {
    let words: [String]
    do throws(CommandWords.SplitError) { words = try CommandWords.split(text) } catch {
      return complain("\(text)|: \(error)")
    }
    let program = try UserCommand(words).program()
    var output = try program.openForReading(input: .inherited)
    let isRead = try output.withReader { (reader) throws(SystemCallError) in
      try copy(reader.descriptor, named: text, by: buffer)
    }
    let status = try output.close()
    guard status.isSuccess else { return complain("\(text)|: \(status)") }
    return isRead
  }

  private func copy(_ input: borrowing Descriptor, named name: String, by buffer: UnsafeMutableRawBufferPointer)
    throws(SystemCallError) -> Bool
  {
    copyWithinKernel(input)
    while true {
      let count: Int
      do throws(SystemCallError) { count = try input.read(into: buffer) } catch {
        // Another process may have made the open file so.
        if error.code == .wouldBlock, input.wait(for: .readable, until: .never) { continue }
        throw SystemCallError("read", on: name, code: error.code)
      }
      if count == 0 { return true }
      do throws(SystemCallError) {
        try StandardStream.output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      } catch {
        // Nothing that follows could be written either.
        _ = complain("write standard output: \(error.code)")
        exit(1)
      }
    }
  }

  /// From file to file, as far as that goes: whatever is left, or why nothing goes, reading and writing will tell.
  private func copyWithinKernel(_ input: borrowing Descriptor) {
    guard (try? FileKind(of: input)) == .regular else { return }
    Descriptor.withBorrowed(StandardStream.output.rawValue) { output in
      while let count = try? input.copyRange(to: output, atMost: 1 << 30), count > 0 {}
    }
  }

  private func complain(_ text: String) -> Bool {
    command.complain(text)
    return false
  }
}
