import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let magicOpenSubcommands: Subcommands = [
  "magic-open-reading": magicOpenReads,
  "magic-open-writing": magicOpenWrites,
  "magic-open-hostile": magicOpenRunsNothingUnasked,
]

/// A directory to work in, which is the working directory as well.
private func withDirectory(_ body: () throws -> Void) throws {
  var name = Array("/tmp/begat-magic-XXXXXX".utf8CString)
  guard mkdtemp(&name) != nil, chdir(name) == 0 else { throw Wrong(description: "mkdtemp") }
  let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer { _ = try? Program(path: "/bin/rm", arguments: ["-r", path]).run() }
  try body()
}

private func read(_ text: String, commands: Bool = false) throws -> String {
  var output = try MagicOpen.forReading(text, allowsCommands: commands)
  let bytes = try output.readToEnd(limit: 1000)
  try expectEqual(output.close(), .exited(code: 0), "the status of \(text)")
  return String(decoding: bytes, as: UTF8.self)
}

private func write(_ word: String, to text: String, commands: Bool = false) throws {
  var input = try MagicOpen.forWriting(text, allowsCommands: commands)
  try input.write(word)
  try expectEqual(input.close(), .exited(code: 0), "the status of \(text)")
}

private func problem<Value: ~Copyable>(_ body: () throws(MagicOpen.OpenError) -> Value) -> MagicOpen.OpenError? {
  failure(of: body)
}

func magicOpenReads(_ words: [String]) throws {
  try withDirectory {
    try write("text", to: "> file")
    try expectEqual(read("file"), "text", "a file")
    try expectEqual(read("<file"), "text", "a file")
    try expectEqual(read("< file"), "text", "a file")
    try expectEqual(read("echo one 'two  three' |", commands: true), "one two  three\n", "a command")
    var failing = try MagicOpen.forReading("sh -c 'exit 3'|", allowsCommands: true)
    try expectEqual(failing.close(), .exited(code: 3), "a command that fails")
    let ends = try PipeEnds()
    try ends.writeEnd.writeAll("standard")
    _ = consume ends.writeEnd
    dup2(ends.readEnd.number, STDIN_FILENO)
    try expectEqual(read("-"), "standard", "the standard input")
    // It stays open.
    try expectEqual(read("-"), "", "the standard input again")
    let missing = problem { () throws(MagicOpen.OpenError) in try MagicOpen.forReading("nowhere") }
    try expectEqual(missing?.description, "open nowhere: No such file or directory", "a missing file")
    let bogus = problem { () throws(MagicOpen.OpenError) in try MagicOpen.forReading("bogus|", allowsCommands: true) }
    try expectEqual(
      bogus, .call(SystemCallError("execve", on: "bogus", code: .noSuchFileOrDirectory)), "a missing command")
  }
}

func magicOpenWrites(_ words: [String]) throws {
  try withDirectory {
    try write("one", to: ">file")
    try write("two", to: ">> file")
    try expectEqual(read("file"), "onetwo", "appended")
    try write("three", to: "> file")
    try expectEqual(read("file"), "three", "emptied")
    try write("up\n", to: "| sh -c 'tr a-z A-Z >command'", commands: true)
    try expectEqual(read("command"), "UP\n", "a command")
    for text in ["file", "<file", "", ">"] {
      try expectEqual(
        problem { () throws(MagicOpen.OpenError) in try MagicOpen.forWriting(text) }, .wrongForm(text),
        "writing \(text)")
    }
    for text in ["> file", ">>file", "", "<"] {
      try expectEqual(
        problem { () throws(MagicOpen.OpenError) in try MagicOpen.forReading(text) }, .wrongForm(text),
        "reading \(text)")
    }
  }
}

/// What a hostile file name would do to Perl.
func magicOpenRunsNothingUnasked(_ words: [String]) throws {
  try withDirectory {
    let text = "touch made|"
    try expectEqual(
      problem { () throws(MagicOpen.OpenError) in try MagicOpen.forReading(text) }, .commandNotAllowed(text),
      "a command")
    try expectEqual(
      problem { () throws(MagicOpen.OpenError) in try MagicOpen.forWriting("|touch made") },
      .commandNotAllowed("|touch made"), "a command")
    for command in ["echo $HOME|", "echo a;touch made|", "echo 'a|"] {
      let refused = problem { () throws(MagicOpen.OpenError) in try MagicOpen.forReading(command, allowsCommands: true)
      }
      guard case .invalidCommand(command, _) = refused else {
        throw Wrong(description: "\(command): \(refused as Any)")
      }
    }
    for name in [text, "-", "| touch made", "> odd", " "] {
      var literal = try MagicOpen.forWriting(file: name)
      try literal.write("of \(name)")
      try expectEqual(literal.close(), .exited(code: 0), "the status of \(name)")
      var appended = try MagicOpen.forWriting(file: name, appending: true)
      try appended.write(".")
      try expectEqual(appended.close(), .exited(code: 0), "the status of \(name)")
      var input = try MagicOpen.forReading(file: name)
      try expectEqual(String(decoding: input.readToEnd(limit: 100), as: UTF8.self), "of \(name).", "a literal name")
      try expectEqual(input.close(), .exited(code: 0), "the status of \(name)")
    }
    let missing = problem { () throws(MagicOpen.OpenError) in try MagicOpen.forReading(file: "none |") }
    try expectEqual(
      missing, .call(SystemCallError("open", on: "none |", code: .noSuchFileOrDirectory)), "a missing file")
    try expectEqual(access("made", F_OK), -1, "what the command makes")
    try write("odd", to: "> odd ")
    try expectEqual(read("odd "), "odd", "a name with a blank behind")
    try write("literal", to: ">./x| ")
    try expectEqual(read("./x| "), "literal", "a name with a pipe and a blank")
  }
}
