import Settings
@_spi(Begat) import UnixCore

/// The text of the file of identities: a line NAME NUMBER for each name that ever had a number, and a line
/// NAME NUMBER former for each number that a name had before.
struct IdentityList: Hashable {
  private(set) var numbers: [String: UInt32] = [:]
  /// The numbers that names had before, the last one at the end: no other name gets them, because files may still belong
  /// to them.
  private(set) var former: [String: [UInt32]] = [:]
  /// The lines that could not be read, from 1.
  private(set) var damagedLines: [Int] = []

  init(numbers: [String: UInt32] = [:]) { self.numbers = numbers }

  init(parsing bytes: [UInt8]) {
    var used: Set<UInt32> = []
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.isEmpty && line.first != UInt8(ascii: "#") {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
      let name = String(words[0])
      let isFormer = words.count == 3 && words[2] == Self.formerMark
      guard words.count == 2 || isFormer, isServiceName(name), let number = UInt32(decimal: words[1]),
        IdentityRange.isUsable(number), isFormer || numbers[name] == nil, used.insert(number).inserted
      else {
        damagedLines.append(index + 1)
        continue
      }
      if isFormer { former[name, default: []].append(number) } else { numbers[name] = number }
    }
  }

  /// All numbers that a name has or had.
  var used: Set<UInt32> { Set(numbers.values).union(former.values.joined()) }

  /// The numbers that a name has or had, in the order in which it should try to get one again.
  func numbers(of name: String) -> [UInt32] { [numbers[name]].compactMap { $0 } + (former[name] ?? []).reversed() }

  /// Gives a name its number; another one that it had becomes a former one.
  mutating func give(_ number: UInt32, to name: String) {
    let old = numbers.updateValue(number, forKey: name)
    guard old != number else { return }
    let others = (former[name] ?? []).filter { $0 != number } + [old].compactMap { $0 }
    former[name] = others.isEmpty ? nil : others
  }

  /// Adds the numbers of another list, except those that this one uses.
  mutating func add(_ other: IdentityList) {
    var used = self.used
    for (name, number) in other.numbers where used.insert(number).inserted {
      if numbers[name] == nil { numbers[name] = number } else { former[name, default: []].append(number) }
    }
    for (name, numbers) in other.former {
      for number in numbers where used.insert(number).inserted { former[name, default: []].append(number) }
    }
  }

  private static let formerMark = "former"

  var text: String {
    """
    # The users and groups of their own that begatd has given its services: a service's name, and the number of both.
    # A service that is configured no more stays here: files may belong to its number.  begatd(8) says more.
    # A number that a service had before is marked as former; no other service gets it.

    """ + Set(numbers.keys).union(former.keys).sorted().map(lines).joined()
  }

  private func lines(of name: String) -> String {
    (former[name] ?? []).map { "\(name) \($0) \(Self.formerMark)\n" }.joined()
      + (numbers[name].map { "\(name) \($0)\n" } ?? "")
  }
}
