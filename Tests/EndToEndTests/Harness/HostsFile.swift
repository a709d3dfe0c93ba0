import Foundation

/// The names that this machine gives to addresses.
///
/// Source: hosts(5).
enum HostsFile {
  /// The address's own name; nil when it has none there.
  static func name(of address: String) -> String? {
    let text = (try? String(contentsOfFile: "/etc/hosts", encoding: .utf8)) ?? ""
    for line in text.split(separator: "\n") {
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
      if words.count > 1, words[0] == address { return String(words[1]) }
    }
    return nil
  }
}
