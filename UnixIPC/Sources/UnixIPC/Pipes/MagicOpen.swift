import Glibc
@_spi(Begat) import UnixCore

/// Opens what one text means, as Perl's `open` with two arguments does, without its traps.
///
/// | text | to read | to write |
/// | --- | --- | --- |
/// | `FILE` | the file | |
/// | `< FILE` | the file | |
/// | `> FILE` | | the file, emptied or created |
/// | `>> FILE` | | the file's end |
/// | `-` | the standard input | the standard output |
/// | `COMMAND \|` | what the command writes, if commands are allowed | |
/// | `\| COMMAND` | | what the command reads, if commands are allowed |
///
/// A text from elsewhere starts no program unless the caller allows it: with commands refused, which is the default, a
/// trailing `|` is an error and not a file's name.  A command is split into words (`CommandWords`) and started without a
/// shell.  A name is taken as it is: blanks at its ends are removed only behind a sign.  A file with a name that looks like
/// one of these forms is opened by ``forReading(file:)-(String)`` and ``forWriting(file:appending:mode:)-(String,_,_)``.
public enum MagicOpen {
  /// Why a text was not opened.
  public enum OpenError: Error, Hashable, Sendable {
    /// The text is a command, and commands are not allowed.
    case commandNotAllowed(String)
    /// The text is empty, or a form for the other direction.
    case wrongForm(String)
    /// The command is none.
    case invalidCommand(String, CommandWords.SplitError)
    /// A call failed.
    case call(SystemCallError)
  }

  /// Opens a file, the standard input, or the output of a command.
  ///
  /// - Parameter text: one of the forms to read.
  /// - Parameter allowsCommands: whether the text may start a program.
  /// - Parameter searchPath: where a command is looked up; nil for the `PATH` of the calling process.
  /// - Returns: the output to read; `close` tells how the command ended, and is a success for a file.
  public static func forReading(
    _ text: String, allowsCommands: Bool = false, searchPath: String? = nil
  ) throws(OpenError) -> ChildOutput {
    let form = try form(of: text, allowsCommands: allowsCommands)
    do throws(SystemCallError) {
      switch form {
      case .standardStream: return ChildOutput(try duplicate(STDIN_FILENO), from: PipelineProcesses())
      case .file(let name), .input(let name):
        return ChildOutput(try Descriptor.open(UnixPath(name), .readOnly), from: PipelineProcesses())
      case .commandOutput(let words): return try program(words, searchPath).openForReading(input: .inherited)
      case .output, .appended, .commandInput: break
      }
    } catch { throw .call(error) }
    throw .wrongForm(text)
  }

  /// Opens a file, the standard output, or the input of a command.
  ///
  /// - Parameter text: one of the forms to write.
  /// - Parameter allowsCommands: whether the text may start a program.
  /// - Parameter searchPath: where a command is looked up; nil for the `PATH` of the calling process.
  /// - Parameter mode: the permissions of a file that is created, before the umask.
  /// - Returns: the input to write to; `close` tells how the command ended, and is a success for a file.
  public static func forWriting(
    _ text: String, allowsCommands: Bool = false, searchPath: String? = nil, mode: mode_t = 0o666
  ) throws(OpenError) -> ChildInput {
    let form = try form(of: text, allowsCommands: allowsCommands)
    do throws(SystemCallError) {
      switch form {
      case .standardStream: return ChildInput(try duplicate(STDOUT_FILENO), to: PipelineProcesses())
      case .output(let name):
        let file = try Descriptor.open(UnixPath(name), [.writeOnly, .create, .truncate], mode: mode)
        return ChildInput(file, to: PipelineProcesses())
      case .appended(let name):
        let file = try Descriptor.open(UnixPath(name), [.writeOnly, .create, .append], mode: mode)
        return ChildInput(file, to: PipelineProcesses())
      case .commandInput(let words): return try program(words, searchPath).openForWriting()
      case .file, .input, .commandOutput: break
      }
    } catch { throw .call(error) }
    throw .wrongForm(text)
  }

  /// Opens a file whose name means nothing but itself, beside texts that `forReading(_:)` opens.
  ///
  ///     var input = try isLiteral ? MagicOpen.forReading(file: word) : MagicOpen.forReading(word)
  ///
  /// - Parameter path: the file, whatever its name looks like: `-` and `date |` are files as well.
  /// - Returns: the output to read; `close` tells a success.
  public static func forReading(file path: UnixPath) throws(OpenError) -> ChildOutput {
    do throws(SystemCallError) {
      return ChildOutput(try Descriptor.open(path, .readOnly), from: PipelineProcesses())
    } catch { throw .call(error) }
  }

  /// Opens a file whose name is text and means nothing but itself.
  public static func forReading(file path: String) throws(OpenError) -> ChildOutput {
    try forReading(file: UnixPath(path))
  }

  /// Opens a file whose name means nothing but itself, emptied or created.
  ///
  /// - Parameter path: the file, whatever its name looks like.
  /// - Parameter appends: whether the file is not emptied, and what is written goes to its end.
  /// - Parameter mode: the permissions of a file that is created, before the umask.
  /// - Returns: the input to write to; `close` tells a success.
  public static func forWriting(
    file path: UnixPath, appending appends: Bool = false, mode: mode_t = 0o666
  ) throws(OpenError) -> ChildInput {
    do throws(SystemCallError) {
      let file = try Descriptor.open(path, [.writeOnly, .create, appends ? .append : .truncate], mode: mode)
      return ChildInput(file, to: PipelineProcesses())
    } catch { throw .call(error) }
  }

  /// Opens a file whose name is text and means nothing but itself, emptied or created.
  public static func forWriting(
    file path: String, appending appends: Bool = false, mode: mode_t = 0o666
  ) throws(OpenError) -> ChildInput {
    try forWriting(file: UnixPath(path), appending: appends, mode: mode)
  }

  private enum Form {
    case standardStream
    case file(String)
    case input(String)
    case output(String)
    case appended(String)
    case commandOutput([String])
    case commandInput([String])
  }

  private static func form(of text: String, allowsCommands: Bool) throws(OpenError) -> Form {
    func words(_ command: Substring) throws(OpenError) -> [String] {
      guard allowsCommands else { throw .commandNotAllowed(text) }
      do throws(CommandWords.SplitError) { return try CommandWords.split(String(command)) } catch {
        throw .invalidCommand(text, error)
      }
    }
    func name(_ rest: Substring) throws(OpenError) -> String {
      let name = rest.drop { $0 == " " || $0 == "\t" }
      guard !name.isEmpty else { throw .wrongForm(text) }
      return String(name)
    }
    if text == "-" { return .standardStream }
    if text.hasPrefix("|") { return .commandInput(try words(text.dropFirst())) }
    if text.hasSuffix("|") { return .commandOutput(try words(text.dropLast())) }
    if text.hasPrefix("<") { return .input(try name(text.dropFirst())) }
    if text.hasPrefix(">>") { return .appended(try name(text.dropFirst(2))) }
    if text.hasPrefix(">") { return .output(try name(text.dropFirst())) }
    guard !text.isEmpty else { throw .wrongForm(text) }
    return .file(text)
  }

  private static func program(_ words: [String], _ searchPath: String?) throws(SystemCallError) -> Program {
    try Program(named: words[0], arguments: Array(words.dropFirst()), searchPath: searchPath)
  }

  private static func duplicate(_ number: CInt) throws(SystemCallError) -> Descriptor {
    try Descriptor.withBorrowed(number) { (stream) throws(SystemCallError) in try stream.duplicate(notBelow: 3) }
  }
}

extension MagicOpen.OpenError: CustomStringConvertible {
  /// One line, fit for a terminal: the text is escaped.
  public var description: String {
    switch self {
    case .commandNotAllowed(let text): "\(escaped(text.utf8)): commands are not allowed here"
    case .wrongForm(let text): "\(escaped(text.utf8)): nothing that can be opened in this direction"
    case .invalidCommand(let text, let reason): "\(escaped(text.utf8)): \(reason)"
    case .call(let error): "\(error)"
    }
  }
}
