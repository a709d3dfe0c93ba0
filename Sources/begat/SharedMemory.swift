import ArgumentParser
import Clients
import Glibc
import Settings

struct SharedMemory: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shm",
    abstract: "Make, write, read and remove System V shared memory.",
    subcommands: [Create.self, Write.self, Read.self, Show.self, List.self, Remove.self])

  func run() throws { throw Begat.missingCommand(of: Self.self) }

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "create",
      abstract: "Make a segment of zeroed bytes, and print its identifier.",
      discussion: "It lives until it is removed. The exit status is 1 where the key has a segment already.")

    @OptionGroup var key: KeyOptions
    @OptionGroup var permissions: ModeOption

    @Argument(
      help: ArgumentHelp("In bytes, or with K, M or G for powers of 1024.", valueName: "size"), transform: readSize)
    var size: Int

    func validate() throws {
      try key.check()
      if size == 0 { throw ValidationError("a segment has at least one byte") }
    }

    func run() throws { try finish(SharedMemoryClient.create(key.key, size: size, mode: permissions.mode)) }
  }

  struct Write: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "write",
      abstract: "Write standard input to its end into a segment.",
      discussion: """
        What stands behind it stays: there is no padding. Where it does not fit, nothing is written and the exit \
        status is 1.
        """)

    @OptionGroup var segment: SegmentArguments

    @Option(help: ArgumentHelp("Where it begins (default: 0).", valueName: "bytes"), transform: readSize)
    var offset = 0

    @Flag(help: "Write the number of bytes before them, four bytes: pack \"L/a*\" to Perl.")
    var counted = false

    func run() throws { try finish(SharedMemoryClient(try segment.name()).write(at: offset, isCounted: counted)) }
  }

  struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "read",
      abstract: "Write a segment's bytes to standard output.",
      discussion: "To a terminal, all but printable ASCII and ends of lines goes as \\xHH.")

    @OptionGroup var segment: SegmentArguments

    @Option(help: ArgumentHelp("Where to begin (default: 0).", valueName: "bytes"), transform: readSize)
    var offset = 0

    @Option(help: ArgumentHelp("How many (default: all that follow).", valueName: "bytes"), transform: readSize)
    var count: Int?

    @Flag(help: "Read as many as begat shm write --counted wrote there.")
    var counted = false

    func validate() throws {
      if counted, count != nil { throw ValidationError("--counted and --count exclude each other") }
    }

    func run() throws {
      let client = SharedMemoryClient(try segment.name())
      try finish(counted ? client.readCounted(at: offset) : client.read(at: offset, count: count))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show a segment's key, size, owner and users.")

    @OptionGroup var segment: SegmentArguments

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws { try finish(SharedMemoryClient(try segment.name()).show(json: json)) }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Show all segments, other users' too.")

    @Flag(help: "Print one JSON array.")
    var json = false

    func run() throws { try finish(SharedMemoryClient.list(json: json)) }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove",
      abstract: "Remove a segment: its key is free immediately, its memory when the last process has let go of it.")

    @OptionGroup var segment: SegmentArguments

    func run() throws { try finish(SharedMemoryClient(try segment.name()).remove()) }
  }
}

/// The key of a segment, where it has one.
struct KeyOptions: ParsableArguments {
  @Option(
    name: .customLong("key"),
    help: ArgumentHelp("The segment's key: 1234, 0x4d2, or a path with a / in it.", valueName: "key"),
    completion: .file(), transform: readKey)
  var number: KeyName?

  @Option(
    help: ArgumentHelp("A file that the key is made of, as by ftok(3); the project is 1.", valueName: "file[:project]"),
    completion: .file(), transform: readKeyPath)
  var path: KeyName?

  var key: KeyName? { number ?? path }

  func check() throws {
    if number != nil, path != nil { throw ValidationError("--key and --path exclude each other") }
  }
}

/// Which segment.
struct SegmentArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "An identifier such as 32769, or a key such as 0x4d2 or ./file:7; --key takes one in decimal.",
      valueName: "segment"),
    completion: .sharedMemory, transform: readSegment)
  var segment: SegmentName?

  @OptionGroup var key: KeyOptions

  func validate() throws {
    try key.check()
    _ = try name()
  }

  func name() throws -> SegmentName {
    switch (segment, key.key) {
    case (let segment?, nil): return segment
    case (nil, let key?): return .key(key)
    case (nil, nil): throw ValidationError("which segment? its identifier, or --key, or --path")
    default: throw ValidationError("a segment is named once: by --key, by --path, or by neither")
    }
  }
}

private func readSegment(_ text: String) throws -> SegmentName {
  do throws(KeyName.Problem) { return try SegmentName(text) } catch { throw ValidationError(error.description) }
}

private func readKeyPath(_ text: String) throws -> KeyName {
  do throws(KeyName.Problem) { return try KeyName(path: text) } catch { throw ValidationError(error.description) }
}
