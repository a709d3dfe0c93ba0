import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

/// C would take a NUL for the end of a text, and so mean another file, program or device than its caller.
@Suite(.timeLimit(.minutes(30))) struct TextWithNULTests {
  /// A function that takes a text, called with one that has a NUL.
  struct Call: CustomTestStringConvertible, Sendable {
    let name: String
    /// The path of an existing directory is what precedes the NUL.
    let run: @Sendable (String) throws -> Void
    var testDescription: String { name }

    init(_ name: String, _ run: @escaping @Sendable (String) throws -> Void) {
      self.name = name
      self.run = run
    }
  }

  static let calls = [
    Call("Descriptor.open") { _ = try Descriptor.open($0 + "/f\0x", [.readOnly, .create]) },
    Call("Descriptor.open(beneath:)") { path in
      _ = try Descriptor.open("/", [.readOnly, .directory]).open(
        beneath: path.dropFirst() + "/f\0x", [.readWrite, .create])
    },
    Call("FileKind") { _ = try FileKind(at: $0 + "\0x") },
    Call("FileKind of a link") { _ = try FileKind(at: $0 + "\0x", followingLinks: true) },
    Call("FileReplacement") { try FileReplacement(of: $0 + "/f\0x").commit() },
    Call("FileReplacement in a directory") { try FileReplacement(of: $0 + "\0/f").commit() },
    Call("UnsafeDirectory") { _ = try UnsafeDirectory.find(on: $0 + "\0x") },
    Call("PathLock") { path in
      let error = failure { () throws(PathLock.LockError) in
        try PathLock(beside: UnixPath(path + "/f\0x"), until: .immediate)
      }
      if case .call(let error) = error { throw error }
    },
    Call("MemoryFile") { _ in _ = try MemoryFile.create(name: "x\0y", size: 1) },
    Call("MemoryMapping.constant") { _ in
      try [UInt8(1)].withUnsafeBytes { _ = try MemoryMapping.constant($0, name: "x\0y") }
    },
    Call("BindOptions") { _ in
      let options = BindOptions(device: "lo\0x")
      _ = try Descriptor.bound(to: .ipv4(.loopback, port: 0), kind: .stream, options: options)
    },
    Call("RawSocketAddress") { _ = try RawSocketAddress(.unixPath($0 + "/f\0x")) },
    Call("ClientSocket") { _ = try ClientSocket.connect(to: .unixPath($0 + "/f\0x")) },
    Call("UnixSocketFile.listen") { path in
      try unwrapped {
        _ = try UnixSocketFile.listen(at: path + "/f\0x", backlog: 1, access: UnixSocketFile.Access())
      }
    },
    Call("Program.find") { _ in _ = try Program.find("/bin/true\0x", searchPath: nil) },
    Call("Program.find by name") { _ in _ = try Program.find("true\0x", searchPath: "/bin:/usr/bin") },
    Call("Program.find in a directory") { _ in _ = try Program.find("true", searchPath: "/bin\0x") },
    Call("Program") { _ in _ = try Program(path: "/bin/true\0x").spawn() },
    Call("Program's argument") { _ in _ = try Program(path: "/bin/true", arguments: ["a\0b"]).spawn() },
    Call("Program's variable") { _ in
      _ = try Program(path: "/bin/true", environment: ["A=a\0b"]).spawn()
    },
    Call("Program's directory") { path in
      _ = try Program(path: "/bin/true", directory: path + "\0x").spawn()
    },
    Call("becomeProgram") { _ in
      try ProcessControl.becomeProgram(at: "/bin/true\0x", arguments: [String](), environment: [])
    },
    Call("FIFO.make") { path in try unwrapped { _ = try FIFO.make(at: path + "/f\0x") } },
    Call("FIFO.adopt") { path in try unwrapped { _ = try FIFO.adopt(at: path + "/f\0x") } },
    Call("FIFO.makeOrAdopt") { path in try unwrapped { _ = try FIFO.makeOrAdopt(at: path + "/f\0x") } },
    Call("FIFOServer") { path in try unwrapped { _ = try FIFOServer(at: path + "/f\0x") } },
    Call("SystemVKey") { _ = try SystemVKey(path: $0 + "\0x", project: 1) },
  ]

  private static func unwrapped(_ body: () throws -> Void) throws {
    do { try body() } catch FIFO.OpenError.call(let error) {
      throw error
    } catch UnixSocketFile.BindError.call(let error) { throw error }
  }

  @Test("is EINVAL, and nothing is done", arguments: calls)
  func isRefused(call: Call) throws {
    let directory = try TemporaryDirectory()
    do {
      try call.run(directory.path)
      Issue.record("was taken")
    } catch {
      #expect((error as? SystemCallError)?.code == .invalidArgument, "\(error)")
    }
    #expect(directory.names() == [])
  }

  @Test("is the name of nothing")
  func isNoName() {
    #expect(NetworkInterface(named: "lo\0x") == nil)
    #expect(IPv4Address("127.0.0.1\0x") == nil)
    #expect(IPv6Address("::1\0x") == nil)
    #expect(SocketAddress(host: "[::1%lo\0x]", port: 1) == nil)
    #expect(Signal("TERM\0x") == nil)
  }
}
