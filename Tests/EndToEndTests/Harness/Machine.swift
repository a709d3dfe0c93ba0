import Confinement
import Foundation
import Glibc

/// What a test may expect of the machine and of its user.
enum Machine {
  static let isRoot = geteuid() == 0

  static let hasLandlock = KernelSupport.current.landlockVersion > 0

  /// Leaves out the line by which begatd says that this machine has no Landlock: tests that count lines are not about it.
  static func leavingOutGaps(_ text: String) -> String {
    guard !hasLandlock else { return text }
    return text.components(separatedBy: "\n").filter { !$0.contains("sandbox: Landlock is missing") }.joined(
      separator: "\n")
  }

  /// The lowest port that everybody may bind.
  ///
  /// Source: ip(7), ip_unprivileged_port_start.
  static let firstFreePort: Int = {
    let text = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding: .utf8)
    return text.flatMap { Int($0.trimmed) } ?? 1024
  }()

  /// A command that executes its arguments as somebody who is not root.
  static func unprivileged() throws -> [String] {
    isRoot
      ? [try Programs.tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"] : [try Programs.tool("env")]
  }
}
