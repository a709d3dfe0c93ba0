import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Where `begat get --output` puts documents.
@Suite(.timeLimit(.minutes(30)))
struct GetFileTests {
  @Test func eachDocumentHasItsFile() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "b", mode: 0o640)
    let files = ["a", "b", "c"].flatMap { ["-o", directory.path($0)] }
    let got = try RunningProgram.run(
      try Programs.begat(), ["get", "--json"] + files + [server.place, "/a", "/missing", "/b"])
    #expect(got.status == .exited(code: 1))
    let report = try json(got, as: [String: Any].self)
    let documents = try #require(report["documents"] as? [[String: Any]])
    #expect(documents.map { $0["document"] as? String } == ["/a", "/missing", "/b"])
    #expect(documents.map { $0["status"] as? Int } == [200, 404, 200])
    #expect(documents.map { $0["bytes"] as? Int } == [10, 13, 10])
    #expect(documents.map { $0["reused_connection"] as? Bool } == [false, true, true])
    #expect(documents[1]["reason"] as? String == "Not Found" && documents[1]["error"] is NSNull)
    #expect(documents[1]["ok"] as? Bool == false && documents[1]["kept"] as? Bool == false)
    #expect(try directory.names() == ["a", "b", "c"])
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    #expect(try String(contentsOfFile: directory.path("c"), encoding: .utf8) == "this is b\n")
  }

  @Test func anOldFileKeepsItsPermissionsAndALinkStays() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "old", mode: 0o640)
    let link = directory.path("link")
    symlink("old", link)
    #expect(try runBegat("get", "-o", link, server.place, "/a").status == .exited(code: 0))
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "this is a\n")
    #expect(try FileKind(at: link) == .link)
    var facts = stat()
    #expect(stat(old, &facts) == 0 && facts.st_mode & 0o777 == 0o640)
    #expect(try directory.names() == ["link", "old"])
  }

  @Test(arguments: ["/truncated", "/chunk-missing", "/reset-later", "/endless", "/fail", "/moved", "/stops"])
  func whatDoesNotComeWholeLeavesTheOldFile(document: String) throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "old")
    let got = try runBegat("get", "-o", old, "--max-size", "4M", "--timeout", "3s", server.place, document)
    #expect(got.status == .exited(code: 1), "\(got.errors.text)")
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    #expect(try directory.names() == ["old"])
  }

  @Test func aKilledServerOrClientLeavesTheOldFile() throws {
    for killsServer in [true, false] {
      let (server, directory) = (try WebServer(), try TemporaryDirectory())
      let old = try directory.write("old", to: "old")
      let client = try startBegat("get", "-o", old, server.place, "/stops")
      // The new file is open: its beginning has come.
      #expect(
        eventually { ProcessFacts.descriptors(of: client.process).values.contains { $0.contains(directory.path) } })
      (killsServer ? server.program : client).kill()
      if killsServer { #expect(try client.awaitEnd() == .exited(code: 1)) }
      #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
      #expect(try directory.names() == ["old"])
    }
  }

  @Test func devicesAndPipesAreWrittenTo() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let got = try runBegat("get", "-o", "/dev/full", "-o", "/dev/null", "-o", "-", server.place, "/a", "/a", "/b")
    #expect(got.status == .exited(code: 1) && got.output.text == "this is b\n")
    #expect(got.errors.lines[0] == "begat get: /a: 200 OK, 10 bytes not kept, write /dev/full: No space left on device")
    #expect(try FileKind(at: "/dev/null") == .characterDevice)
    let pipe = directory.path("pipe")
    mkfifo(pipe, 0o600)
    let reader = try RunningProgram(try Programs.tool("cat"), [pipe])
    #expect(try runBegat("get", "-o", pipe, server.place, "/a").status == .exited(code: 0))
    #expect(try reader.awaitEnd() == .exited(code: 0))
    #expect(try reader.output.text == "this is a\n" && FileKind(at: pipe) == .fifo)
  }

  @Test(arguments: [["-i"], ["--head"], ["-i", "-L"]])
  func aHeadIsNoReasonToReplaceAFile(options: [String]) throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "old")
    for document in ["/missing", "/part"] {
      let got = try RunningProgram.run(
        try Programs.begat(), ["get"] + options + ["-o", old, server.place, document])
      #expect(got.status == .exited(code: 1) && got.errors.text.contains("not kept"), "\(got.errors.text)")
      #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    }
    let taken = try runBegat("get", "-i", "--any-status", "-o", old, server.place, "/missing")
    #expect(taken.status == .exited(code: 1))
    #expect(try String(contentsOfFile: old, encoding: .utf8).hasSuffix("nothing here\n"))
  }

  /// The owner, group and mode of a file that a user without rights replaces.
  @Test(
    .enabled(if: Machine.isRoot, "needs root to give files away"),
    arguments: [
      // The owner cannot be kept, the group can where it is one of the user's.
      ("1:50 660", ["--groups=50"], "65534:50 660"), ("1:50 666", ["--groups=50"], "65534:50 666"),
      // Nobody gains anything by a new group.
      ("65534:50 664", ["--clear-groups"], "65534:65534 644"), ("65534:50 646", ["--clear-groups"], "65534:65534 646"),
      ("65534:50 660", ["--clear-groups"], "65534:65534 600"), ("1:50 606", ["--clear-groups"], "65534:65534 606"),
      ("65534:50 6775", ["--groups=50"], "65534:50 775"),
    ])
  func aUserWithoutRightsKeepsTheGroupOrNarrowsTheMode(before: String, groups: [String], after: String) throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    chmod(directory.path, 0o777)
    let old = try directory.write("old", to: "old")
    let words = before.split(separator: " ").map(String.init)
    _ = try RunningProgram.tool("chown", [words[0], old])
    _ = try RunningProgram.tool("chmod", [words[1], old])
    let got = try asNobody(groups, ["get", "-o", old, server.place, "/a"])
    #expect(got.status == .exited(code: 0), "\(got.errors.text)")
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "this is a\n")
    #expect(try RunningProgram.tool("stat", ["-c", "%u:%g %a", old]).output.text == after + "\n")
  }

  @Test(.enabled(if: Machine.isRoot, "needs root to become another user"))
  func aFileThatMayOnlyBeReadStays() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    chmod(directory.path, 0o777)
    for (mode, owner) in [(0o444, 65534), (0o644, 0)] as [(mode_t, uid_t)] {
      let old = try directory.write("old", to: "old", mode: mode)
      chown(old, owner, 0)
      let got = try asNobody(["--clear-groups"], ["get", "-o", old, server.place, "/a"])
      #expect(got.status == .exited(code: 1) && got.errors.text.hasSuffix("open \(old): Permission denied\n"))
      #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
      #expect(try directory.names() == ["old"])
    }
  }

  private func asNobody(_ groups: [String], _ words: [String]) throws -> RunningProgram {
    try RunningProgram.run(
      try Programs.tool("setpriv"), ["--reuid=65534", "--regid=65534"] + groups + [try Programs.begat()] + words)
  }

  /// The group's bits of a file with a list are the list's mask, and here the group has no rights.
  @Test(.enabled(if: Machine.isRoot, "needs root to give files away"))
  func anAccessListIsKept() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    chmod(directory.path, 0o777)
    let old = try directory.write("old", to: "old")
    func list(_ script: String) throws -> String {
      let pack = """
        import os, struct, sys
        name, nobody = "system.posix_acl_access", 0xffffffff
        entries = [(1, 6, nobody), (2, 4, 1), (4, 0, nobody), (16, 6, nobody), (32, 0, nobody)]
        list = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
        """
      return try RunningProgram.tool("python3", ["-c", "\(pack)\n\(script)", old]).output.text
    }
    _ = try list("os.setxattr(sys.argv[1], name, list)")
    #expect(try runBegat("get", "-o", old, server.place, "/a").status == .exited(code: 0))
    #expect(try list("print(os.getxattr(sys.argv[1], name) == list)") == "True\n")
    // Who cannot keep the group narrows the mask.
    chown(old, 65534, 50)
    let got = try asNobody(["--clear-groups"], ["get", "-o", old, server.place, "/b"])
    #expect(got.status == .exited(code: 0), "\(got.errors.text)")
    #expect(try RunningProgram.tool("stat", ["-c", "%u:%g %a", old]).output.text == "65534:65534 600\n")
    // What the directory gives to new files is not given to an old one.
    _ = try list("os.removexattr(sys.argv[1], name)")
    chmod(old, 0o660)
    _ = try list("os.setxattr(os.path.dirname(sys.argv[1]), 'system.posix_acl_default', list)")
    #expect(try runBegat("get", "-o", old, server.place, "/a").status == .exited(code: 0))
    #expect(try list("print(name in os.listxattr(sys.argv[1]))") == "False\n")
  }

  @Test func aPipeThatNobodyReadsKeepsNobodyBeyondTheTime() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let pipe = directory.path("pipe")
    mkfifo(pipe, 0o600)
    let got = try runBegat("get", "--timeout", "1s", "-o", pipe, "-o", directory.path("b"), server.place, "/a", "/b")
    #expect(got.status == .exited(code: 1))
    #expect(got.errors.lines[0] == "begat get: /a: 200 OK, 0 bytes not kept, open \(pipe): Timer expired")
    #expect(try String(contentsOfFile: directory.path("b"), encoding: .utf8) == "this is b\n")
    // The same where it is open, and full; also where it is non-blocking.
    let script = """
      import os, subprocess, sys
      for blocking in [True, False]:
          reading, writing = os.pipe()
          os.set_blocking(writing, blocking)
          print(subprocess.call(sys.argv[1:], stdout=writing))
      """
    let python = try RunningProgram.run(
      try Programs.tool("python3"),
      ["-c", script, try Programs.begat(), "get", "--timeout", "1s", server.place, "/big"])
    #expect(python.output.text == "1\n1\n")
    let words = "begat get: write standard output: Timer expired"
    #expect(python.errors.lines == [words, words])
  }

  @Test func longNamesOfManyBytesAreTaken() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let file = directory.path(String(repeating: "é", count: 125))
    for _ in 0..<2 {
      let got = try runBegat("get", "-o", file, server.place, "/a")
      #expect(got.status == .exited(code: 0), "\(got.errors.text)")
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "this is a\n")
  }

  @Test func aFileThatCannotBeMadeIsAFailureOfItsDocument() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let got = try runBegat(
      "get", "-o", "/nowhere/file", "-o", directory.path, "-o", directory.path("b"), server.place, "/a", "/a", "/b")
    #expect(got.status == .exited(code: 1))
    #expect(got.errors.lines[0].hasSuffix("open /nowhere/file: No such file or directory"))
    #expect(got.errors.lines[1].hasSuffix("open \(directory.path): Is a directory"), "\(got.errors.text)")
    #expect(try directory.names() == ["b"])
  }
}
