import Foundation
import Testing
@_spi(Begat) import UnixCore

/// What bash, zsh and fish offer for a command line that is begun.
@Suite(.timeLimit(.minutes(30)))
struct CompletionTests {
  private static let lines = [
    ("begat conn", "connect"), ("begat sem ta", "take"), ("begat signal TE", "TERM"),
    ("begat connect --rece", "--receive-only"), ("begat connect localho", "localhost"),
    ("begat connect localhost daytim", "daytime"), ("begat cat /etc/host.c", "/etc/host.conf"),
    ("begat sem take ./lock -- mkfif", "mkfifo"),
  ]

  @Test(arguments: lines)
  func bashCompletes(_ line: String, _ word: String) throws {
    let script = """
      source "$0"
      COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=$1; COMP_POINT=${#1}
      _begat begat "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let directory = try scripts(for: "bash")
    #expect(try run("bash", ["-c", script, directory.path("begat"), line]).contains(word))
  }

  @Test(arguments: lines)
  func fishCompletes(_ line: String, _ word: String) throws {
    let directory = try scripts(for: "fish")
    let script = "source \(directory.path("begat")); complete -C '\(line)'"
    let offers = try run("fish", ["--no-config", "-c", script], home: directory.path)
    #expect(offers.contains { $0.split(separator: "\t").first.map(String.init) == word }, "\(offers)")
  }

  @Test(arguments: lines)
  func zshCompletes(_ line: String, _ word: String) throws {
    let directory = try scripts(for: "zsh")
    try FileManager.default.moveItem(atPath: directory.path("begat"), toPath: directory.path("_begat"))
    // What it adds to the line.  Keys that come before that would end its search.
    let rest = word.dropFirst(line.reversed().prefix { $0 != " " }.count)
    // Only the line editor of a terminal completes.
    let script = """
      log_user 0
      set timeout 20
      set env(TERM) dumb
      spawn -noecho zsh -f
      send -- "PS1='READY> '; fpath=(\(directory.path) \\$fpath); autoload -Uz compinit; compinit -u -D; echo do''ne\\r"
      expect "done\\r\\n"
      expect "READY> "
      send -- "\(line)\\t"
      expect "\(rest)"
      send -- "\\001echo '\\005'\\r"
      expect -re "\\n(begat\\[^\\r\\n\\]*)\\r\\n" { puts "RESULT $expect_out(1,string)" }
      """
    let results = try run("expect", ["-c", script]).filter { $0.hasPrefix("RESULT ") }
    #expect(results.count == 1 && results[0].split(separator: " ").last.map(String.init) == word, "\(results)")
  }

  /// A directory with the shell's script in the file `begat`.
  private func scripts(for shell: String) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    let script = try runBegat("--generate-completion-script", shell)
    try #require(script.status == .exited(code: 0))
    try script.output.text.write(toFile: directory.path("begat"), atomically: false, encoding: .utf8)
    return directory
  }

  /// The lines that a shell prints which finds begat in its PATH.
  private func run(_ shell: String, _ arguments: [String], home: String = "/") throws -> [String] {
    let programs = URL(fileURLWithPath: try Programs.begat()).deletingLastPathComponent().path
    let environment = ["PATH=\(programs):/usr/bin:/bin", "HOME=\(home)"]
    return try RunningProgram.tool("env", environment + [try Programs.tool(shell)] + arguments).output.text
      .components(separatedBy: .newlines)
  }
}
