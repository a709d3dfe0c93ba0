import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// What begatd says when it cannot start, and that it leaves nothing behind.
@Suite(.timeLimit(.minutes(30)))
struct ConfigurationFaultTests {
  @Test(arguments: ConfigurationFault.all)
  func aFaultyFileIsRefusedWithALineForEachProblem(_ fault: ConfigurationFault) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(fault.text, to: "begatd.toml")
    let begatd = try start(["--config", file], in: directory)
    complains(begatd, .exited(code: 78), fault.complaints)
    #expect(try directory.names() == ["begatd.toml"])

    let check = try RunningProgram.run(try Programs.begatd(), ["--check", "--config", file])
    let ownCheck = try RunningProgram.run(try Programs.begat(), ["check", "--config", file])
    #expect(check.status == .exited(code: 78) && ownCheck.status == .exited(code: 78))
    let lines = begatd.errors.lines.map { $0.replacing("begatd: ", with: "begat check: ", maxReplacements: 1) }
    #expect(check.errors.lines == begatd.errors.lines && ownCheck.errors.lines == lines)
    #expect(check.output.text == "" && ownCheck.output.text == "")
  }

  @Test func aMissingFileIsNamed() throws {
    let directory = try TemporaryDirectory()
    let begatd = try start(["--config", directory.path("none.toml")], in: directory)
    complains(begatd, .exited(code: 78), [["none.toml", "No such file"]])
  }

  @Test func wrongOptionsAreUsageErrors() throws {
    let directory = try TemporaryDirectory()
    for options in [["--nonsense"], ["--ready-fd", "17"], ["--ready-fd", "x"], ["more"]] {
      let begatd = try start(options, in: directory)
      #expect(begatd.status == .exited(code: 64), "\(options)")
      #expect(begatd.errors.text.contains("Usage") || begatd.errors.text.contains("Error"), "\(begatd.errors.text)")
    }
  }

  @Test func aRightFileChecks() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(ConfigurationFault.service, to: "begatd.toml")
    let environment = ["RUNTIME_DIRECTORY=\(directory.path("run"))"]
    let check = try RunningProgram.run(
      try Programs.begatd(), ["--check", "--config", file], environment: environment)
    let ownCheck = try RunningProgram.run(
      try Programs.begat(), ["check", "--config", file], environment: environment)
    #expect(check.status == .exited(code: 0) && ownCheck.status == .exited(code: 0))
    #expect(check.output.text == ownCheck.output.text && check.output.text.contains("127.0.0.1:0"))
    #expect(check.errors.text == "" && ownCheck.errors.text == "")
  }

  @Test(arguments: ["listen-stream", "listen-datagram"])
  func aTakenPortIsNamedWithItsHolder(kind: String) throws {
    let directory = try TemporaryDirectory()
    let holder = try PortHolder(isDatagram: kind == "listen-datagram")
    let text = """
      [service.first]
      serve = "echo"
      listen-stream = ["\(directory.path("first.sock"))"]
      [service.second]
      serve = "daytime"
      \(kind) = ["\(holder.address)"]
      """
    let file = try directory.write(text, to: "begatd.toml")
    let begatd = try start(["--config", file], in: directory)
    complains(
      begatd, .exited(code: 1),
      [
        [
          "begatd.toml:4:10: service.second: bind \(holder.address): Address already in use, by ",
          "(process \(getpid()))",
        ]
      ])
    // The runtime directory stays, and nothing is in it.
    #expect(try directory.names() == ["begatd.toml", "run"])
    #expect(rmdir(directory.path("run")) == 0)
    let check = try RunningProgram.run(try Programs.begatd(), ["--check", "--config", file])
    #expect(check.status == .exited(code: 0))
  }

  private final class PortHolder {
    private let socket: Descriptor
    let address: String

    init(isDatagram: Bool) throws {
      let any = SocketAddress.ipv4(.loopback, port: 0)
      socket =
        isDatagram ? try DatagramSocket(any).release() : try ListeningSocket(any, backlog: 1).release()
      address = try socket.localAddress().address?.description ?? "?"
    }
  }

  @Test func aLiveUnixSocketIsLeftToItsServer() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("taken.sock")
    let holder = try UnixSocketFile.listen(at: path, backlog: 1, access: UnixSocketFile.Access())
    let begatd = try start(service(at: path), in: directory)
    complains(begatd, .exited(code: 1), [["bind \(path): another server is listening there"]])
    #expect(directory.exists("taken.sock"))
    _ = try Client(path)
    _ = consume holder
  }

  @Test func aFileInASocketsPlaceIsNotTouched() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("precious", to: "file")
    let begatd = try start(service(at: path), in: directory)
    complains(begatd, .exited(code: 1), [["bind \(path): exists and is not a socket"]])
    #expect(directory.exists("file"))
  }

  @Test func aMissingDirectoryIsNamed() throws {
    let directory = try TemporaryDirectory()
    let begatd = try start(service(at: directory.path("none/echo.sock")), in: directory)
    complains(begatd, .exited(code: 78), [["service.echo.listen-stream: \(directory.path("none")): no such directory"]])
  }

  @Test(.enabled(if: Machine.firstFreePort > 80, "this machine lets everybody have port 80"))
  func aPortForRootIsRefusedToOthers() throws {
    let directory = try TemporaryDirectory()
    // It could not make its runtime directory either.
    let text = service(at: "127.0.0.1:80") + "[daemon]\ncontrol-socket = \"none\"\n"
    let begatd = try start(text, in: directory, wrapper: Machine.unprivileged())
    complains(begatd, .exited(code: 1), [["bind 127.0.0.1:80: Permission denied; low ports need CAP_NET_BIND_SERVICE"]])
  }

  @Test func anUnreadableFileIsNamed() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(ConfigurationFault.service, to: "begatd.toml", mode: 0)
    let begatd = try start(["--config", file], in: directory, wrapper: Machine.unprivileged())
    complains(begatd, .exited(code: 78), [["begatd.toml", "Permission denied"]])
  }

  private func service(at address: String) -> String {
    "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(address)\"]\n"
  }

  private func start(_ configuration: String, in directory: TemporaryDirectory, wrapper: [String] = []) throws
    -> RunningProgram
  {
    try start(["--config", try directory.write(configuration, to: "begatd.toml")], in: directory, wrapper: wrapper)
  }

  private func start(_ options: [String], in directory: TemporaryDirectory, wrapper: [String] = []) throws
    -> RunningProgram
  {
    let command = wrapper + [try Programs.begatd()] + options
    let watch = Stopwatch()
    let begatd = try RunningProgram.run(
      command[0], Array(command.dropFirst()), environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
    #expect(watch.elapsed < .seconds(5))
    return begatd
  }

  /// Asserts how it ended and what it said.
  ///
  /// - Parameter complaints: for each line of standard error, in any order, what it must hold.
  private func complains(
    _ begatd: RunningProgram, _ status: ExitStatus, _ complaints: [[String]],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let lines = begatd.errors.lines
    #expect(begatd.status == status, sourceLocation: sourceLocation)
    #expect(begatd.output.text == "", sourceLocation: sourceLocation)
    #expect(lines.count == complaints.count, "\(begatd.errors.text)", sourceLocation: sourceLocation)
    #expect(lines.allSatisfy { $0.hasPrefix("begatd: ") }, sourceLocation: sourceLocation)
    for parts in complaints {
      let isSaid = lines.contains { line in parts.allSatisfy { line.contains($0) } }
      #expect(isSaid, "\(parts) is not in \(lines)", sourceLocation: sourceLocation)
    }
    #expect(begatd.errors.awaitEnd(within: .seconds(2)), "a process is left", sourceLocation: sourceLocation)
  }
}
