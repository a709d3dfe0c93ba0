import Glibc

/// A limit of a running process as prlimit(1) takes it back.
///
/// - Parameter title: its line of /proc/PID/limits.
func softLimit(_ title: String, of process: pid_t) throws -> String {
  let limits = try RunningProgram.tool("cat", ["/proc/\(process)/limits"]).output.lines
  guard let line = limits.first(where: { $0.hasPrefix(title) }),
    let word = line.dropFirst(title.count).split(separator: " ").first
  else { throw HarnessFailure("process \(process) has no limit of \(title)") }
  return String(word)
}

/// Changes a limit of a running process; the hard one stays, so that everybody may go back.
///
/// - Parameter name: as prlimit(1) calls its option.
func setSoftLimit(_ name: String, of process: pid_t, to soft: String) throws {
  let prlimit = ["--pid", "\(process)", "--\(name)=\(soft):"]
  guard Machine.isRoot else {
    _ = try RunningProgram.tool("prlimit", prlimit)
    return
  }
  // As the process's own user: even root may lack the capability for others' limits.
  func number(_ line: String) throws -> String {
    guard let word = ProcessFacts.statusLine(line, of: process)?.split(separator: "\t").first else {
      throw HarnessFailure("process \(process) is gone")
    }
    return String(word)
  }
  let identity = ["--reuid=\(try number("Uid"))", "--regid=\(try number("Gid"))", "--clear-groups"]
  _ = try RunningProgram.tool("setpriv", identity + [try Programs.tool("prlimit")] + prlimit)
}
