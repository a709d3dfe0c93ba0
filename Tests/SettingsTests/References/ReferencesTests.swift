import Glibc
import References
import Settings
import TestSupport
import Testing
@_spi(Begat) import UnixCore

/// The files that are made from the keys.
@Suite struct ReferencesTests {
  /// The repository that this file is part of.
  private static let root = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()

  private func reference(_ path: String) throws -> String {
    try #require(References.files.first { $0.path == path }).text
  }

  @Test("are those of the repository", arguments: References.files.map(\.path))
  func areThoseOfTheRepository(path: String) throws {
    let file = try Descriptor.open("\(ReferencesTests.root)/\(path)", .readOnly)
    let text = String(decoding: try file.readPrefix(1 << 20), as: UTF8.self)
    #expect(text == (try reference(path)), "\(path) is older than the keys; run make references")
  }

  @Test("of the configuration show every key once, in at most 120 columns")
  func showEveryKey() throws {
    let lines = try reference("etc/begatd.toml").split(separator: "\n").map(String.init)
    // Tables of services, which may be commented out, follow.
    let keys = lines.prefix { !$0.hasPrefix("[service.") }
    for name in DaemonSettings.keys.map(\.name) + ServiceSettings.keys.map(\.name) {
      #expect(keys.count { $0.hasPrefix("#\(name) = ") } == 1, "\(name)")
    }
    for line in lines { #expect(line.count <= 120, "\(line)") }
  }

  @Test("of the manual explain every key once, with its default or an example")
  func explainEveryKey() throws {
    let lines = try reference("man/begatd.toml.5").split(separator: "\n").map(String.init)
    for name in DaemonSettings.keys.map(\.name) + ServiceSettings.keys.map(\.name) {
      let heads = lines.indices.filter { lines[$0] == ".It Cm \(name.replacing("-", with: "\\-"))" }
      #expect(heads.count == 1, "\(name)")
      guard let head = heads.first else { continue }
      let entry = lines[(head + 1)...].prefix { !$0.hasPrefix(".It ") && $0 != ".El" }
      #expect(entry.contains { $0.hasPrefix("Expected: ") }, "\(name)")
      #expect(entry.contains { $0.hasPrefix("Default: ") || $0.hasPrefix("Unset by default; ") }, "\(name)")
    }
  }

  @Test("of the manual have the form of a manual page")
  func haveTheForm() throws {
    let lines = try reference("man/begatd.toml.5").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.last == "")
    #expect(lines.allSatisfy { !$0.hasSuffix(" ") && !$0.hasPrefix("'") && $0.utf8.count <= 160 })
    var open: [Substring] = []
    var blank = 0
    for line in lines.dropLast() {
      if line.hasPrefix(".Bl ") { open.append("Bl") }
      if line.hasPrefix(".Bd ") { open.append("Bd") }
      if line == ".El" { #expect(open.popLast() == "Bl") }
      if line == ".Ed" { #expect(open.popLast() == "Bd") }
      if line.isEmpty, open.last != "Bd" { blank += 1 }
    }
    #expect(open == [] && blank == 0)
  }

  /// The machine's, or what `make test-deps` unpacks.
  private static let mandoc: String? = {
    let peers = getenv("BEGAT_PEERS").map { String(cString: $0) } ?? "\(root)/.build/peers"
    return ["/usr/bin/mandoc", "/usr/local/bin/mandoc", "\(peers)/bin/mandoc"].first { access($0, X_OK) == 0 }
  }()

  @Test("of the manual pass mandoc", .enabled(if: mandoc != nil, "needs mandoc: make test-deps"))
  func passMandoc() throws {
    let directory = try TemporaryDirectory()
    try directory.write(try reference("man/begatd.toml.5").utf8, to: "begatd.toml.5")
    let mandoc = try #require(ReferencesTests.mandoc)
    let pipe = popen("\(mandoc) -Tlint -Wwarning '\(directory["begatd.toml.5"])' 2>&1", "r")
    let stream = try #require(pipe)
    var output = ""
    var buffer = [CChar](repeating: 0, count: 4096)
    while let line = fgets(&buffer, CInt(buffer.count), stream) { output += String(cString: line) }
    #expect(pclose(stream) == 0 && output == "")
  }
}
