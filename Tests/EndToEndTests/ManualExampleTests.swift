import Foundation
import Testing
@_spi(Begat) import UnixCore

/// The examples of begat(1), one after the other and all of them twice: none leaves anything that stops the next.
@Suite(.timeLimit(.minutes(30)))
struct ManualExampleTests {
  private static let prelude = """
    echo header > header.txt; printf 'b\\na\\nb\\n' > names.txt; echo body > body.txt; echo footer > footer.txt
    exec {ready}< <(exec begatd --ready-fd 3 3>&1 > begatd.table 2> begatd.log)
    while IFS= read -r line <&$ready; do :; done
    exec {web}< <(exec python3 -u -m http.server --bind 127.0.0.1 8000 2> /dev/null)
    IFS= read -r line <&$web

    """

  /// The lines of the section, as they are typed.
  private static func examples() throws -> [String] {
    let page = try String(contentsOfFile: "\(Programs.package)/man/begat.1", encoding: .utf8)
    let section = page.components(separatedBy: ".Sh ").first { $0.hasPrefix("EXAMPLES\n") } ?? ""
    return section.components(separatedBy: "\n").filter { $0.hasPrefix(".Dl ") }.map {
      String($0.dropFirst(4)).replacing("\\e", with: "\\").replacing("\\&", with: "")
    }
  }

  @Test(.enabled(if: Machine.isRoot, "needs root: mounts and a network of its own"))
  func examplesWorkTwice() throws {
    let examples = try Self.examples()
    #expect(examples.count > 15)
    let directory = try TemporaryDirectory()
    var script = Self.prelude
    for turn in 1...2 {
      for (number, example) in examples.enumerated() {
        script += "{ \(example)\n} > \(turn)-\(number).output 2>&1 < /dev/null; echo $? > \(turn)-\(number).status\n"
      }
    }
    try runApart(script, in: directory)
    func read(_ name: String) throws -> String { try String(contentsOfFile: directory.path(name), encoding: .utf8) }
    for turn in 1...2 {
      for (number, example) in examples.enumerated() {
        let output = try read("\(turn)-\(number).output")
        #expect(try read("\(turn)-\(number).status") == "0\n", "turn \(turn): \(example)\n\(output)")
      }
    }
    let expected = [
      "begat cat ": "header\na\nb\nbody\nfooter\n", "begat pipe ": "42\n", "begat shm read": "kept\n",
    ]
    for (beginning, output) in expected {
      let number = try #require(examples.firstIndex { $0.hasPrefix(beginning) })
      #expect(try read("2-\(number).output") == output)
    }
    #expect(try read("copy.txt") == "body\n")
  }
}
