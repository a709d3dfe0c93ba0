import Foundation
import Glibc

/// What a test may expect of the machine and of its user.
enum Machine {
  static let isRoot = geteuid() == 0

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
