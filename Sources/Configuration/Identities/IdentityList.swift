import Settings
@_spi(Begat) import UnixCore

/// The text of the file of identities: a line NAME NUMBER for each name that ever had a number.
struct IdentityList {
  var numbers: [String: UInt32] = [:]
  /// The lines that could not be read, from 1.
  private(set) var damagedLines: [Int] = []

  init(numbers: [String: UInt32] = [:]) { self.numbers = numbers }

  init(parsing bytes: [UInt8]) {
    var used: Set<UInt32> = []
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.isEmpty && line.first != UInt8(ascii: "#") {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
      guard words.count == 2, isServiceName(String(words[0])), let number = UInt32(decimal: words[1]),
        IdentityRange.isUsable(number), numbers[String(words[0])] == nil, used.insert(number).inserted
      else {
        damagedLines.append(index + 1)
        continue
      }
      numbers[String(words[0])] = number
    }
  }

  var text: String {
    """
    # The users and groups of their own that begatd has given its services: a service's name, and the number of both.
    # A service that is configured no more stays here: files may belong to its number.  begatd(8) says more.

    """ + numbers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
  }
}
