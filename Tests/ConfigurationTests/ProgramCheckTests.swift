import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

@Suite struct ProgramCheckTests {
  private static let script = "#!/bin/sh\n"
  private let directory: TemporaryDirectory
  private let path: String
  private let owner = geteuid()
  private let group = getegid()

  init() throws {
    directory = try TemporaryDirectory()
    try #require(chmod(directory.path, 0o755) == 0)
    path = directory["program"]
  }

  private func fault(_ user: uid_t, _ group: gid_t = 4242, _ groups: [gid_t] = []) -> String? {
    ProgramCheck(identity: Identity(user: user, group: group, groups: groups)).fault(of: path)
  }

  @Test("asks the mode for the owner, the groups and others, each for itself")
  func asksTheMode() throws {
    // Nobody of this number: a number that is in no file of users.
    let stranger: uid_t = 987_654
    func says(_ mode: String) -> String {
      "\(path): user 987654 may not execute it; set user or change its mode \(mode)"
    }
    try directory.write(ProgramCheckTests.script, to: "program", mode: 0o754)
    #expect(fault(stranger) == says("0754"))
    #expect(fault(stranger, group) == nil)
    #expect(fault(stranger, 4242, [1, group]) == nil)
    try directory.write(ProgramCheckTests.script, to: "program", mode: 0o705)
    #expect(fault(stranger) == nil)
    #expect(fault(stranger, group) == says("0705"))
    try directory.write(ProgramCheckTests.script, to: "program", mode: 0o644)
    #expect(fault(0)?.hasSuffix("may not execute it; set user or change its mode 0644") == true)
    try directory.write(ProgramCheckTests.script, to: "program", mode: 0o645)
    #expect(fault(0) == nil)
  }

  @Test("asks the directories on the way, those behind links too")
  func asksDirectories() throws {
    try directory.makeDirectory("closed", mode: 0o700)
    try directory.write(ProgramCheckTests.script, to: "closed/real", mode: 0o755)
    try #require(symlink(directory["closed/real"], path) == 0)
    let closed = directory["closed"]
    #expect(
      fault(987_654)
        == "\(path): user 987654 may not enter \(closed); set user or change the directory's mode")
    #expect(fault(0) == nil)
  }

  @Test("asks for a script's interpreter, and whether that may read it")
  func asksForInterpreters() throws {
    try directory.write("#! /bin/sh -e\n", to: "program", mode: 0o755)
    #expect(fault(987_654) == nil)
    try directory.write("#!/nonexistent/sh\n", to: "program", mode: 0o755)
    #expect(fault(0) == "\(path): its interpreter /nonexistent/sh: No such file or directory")
    try directory.write("#!/bin/sh\r\n", to: "program", mode: 0o755)
    #expect(fault(0) == "\(path): its interpreter /bin/sh\\x0d: No such file or directory")
    try directory.write("#!\n", to: "program", mode: 0o755)
    #expect(fault(0) == "\(path): its interpreter is \"\": expected an absolute path after #!")
    try directory.write("#!/etc/passwd", to: "program", mode: 0o755)
    #expect(fault(987_654) == "\(path): its interpreter /etc/passwd: user 987654 may not execute it")
    try directory.write("#!/bin/sh\n", to: "program", mode: 0o711)
    #expect(
      fault(987_654) == "\(path): user 987654 may not read it, as its interpreter must; change its mode 0711")
  }

  @Test("asks for a first line that the kernel knows what to do with")
  func asksForAFirstLine() throws {
    let complaint = "\(path): has no #! line, so that the kernel cannot execute it"
    for text in ["", "echo hello\n", "# comment\n#!/bin/sh\n", " #!/bin/sh\n"] {
      try directory.write(text, to: "program", mode: 0o755)
      #expect(fault(0) == complaint, "\(text)")
    }
    // Machine code has bytes that text has not.
    try directory.write("\u{7f}ELF\u{2}\u{1}\u{1}\u{0}", to: "program", mode: 0o755)
    #expect(fault(0) == nil)
    #expect(ProgramCheck(identity: Identity(user: 987_654, group: 1, groups: [])).fault(of: "/bin/cat") == nil)
  }

  @Test("asks for the working directory")
  func asksForTheWorkingDirectory() throws {
    try directory.makeDirectory("closed", mode: 0o700)
    let closed = directory["closed"]
    let text =
      "[service.x]\nexec = [\"/bin/cat\"]\nlisten-stream = \"7\"\nuser = \"nobody\"\nworking-directory = \"\(closed)\"\n"
    #expect(
      Configuration.problems(text) == ["t.toml:5:21: service.x.working-directory: nobody may not enter \(closed)"])
    #expect(Configuration.problems(text.replacing("nobody", with: "root")) == [])
  }
}
