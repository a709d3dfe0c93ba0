import Settings

/// Gives names a number each, as users and groups of their own.
///
/// A name that has a number keeps it, whatever other names come and go.  A new name starts at a place in the range that
/// is made of the name alone, so that machines mostly agree, and takes the first free number from there on.
struct IdentityTable {
  /// The names that have a number.
  private(set) var numbers: [String: UInt32] = [:]
  /// The names for which no number is left, sorted.
  private(set) var unserved: [String] = []

  private let range: ClosedRange<UInt32>
  /// The numbers of the range that exist in this user namespace.
  private let mapped: [ClosedRange<UInt32>]
  private let survey: IdentitySurvey
  private var entries: [UInt32: [String]] = [:]

  /// - Parameter remembered: the numbers that names have or had, also names that are not wanted now: files may still
  ///   belong to them.
  init(_ names: some Sequence<String>, in range: IdentityRange, remembered: IdentityList, on survey: IdentitySurvey) {
    self.range = range.numbers
    mapped = IdentityMap.common(survey.mapped, [range.numbers])
    self.survey = survey
    var used = remembered.used
    var newNames: [String] = []
    for name in Set(names).sorted() {
      // Running processes do not matter: they are the name's own, which drain.
      if let number = remembered.numbers(of: name).first(where: { isPermitted($0, for: name) }) {
        numbers[name] = number
      } else {
        newNames.append(name)
      }
    }
    guard !newNames.isEmpty else { return }
    used.formUnion(survey.running())
    for name in newNames {
      guard let number = firstFree(for: name, besides: used) else {
        unserved.append(name)
        continue
      }
      numbers[name] = number
      used.insert(number)
    }
  }

  private mutating func firstFree(for name: String, besides used: Set<UInt32>) -> UInt32? {
    let start = Self.start(of: name, in: range)
    let order = [start...range.upperBound, range.lowerBound...start].flatMap { IdentityMap.common(mapped, [$0]) }
    for number in order.joined() where !used.contains(number) && isPermitted(number, for: name) { return number }
    return nil
  }

  /// Whether the number is one of the range that exists here, and belongs to no other user or group.
  private mutating func isPermitted(_ number: UInt32, for name: String) -> Bool {
    guard mapped.contains(where: { $0.contains(number) }) else { return false }
    let found = entries[number] ?? survey.entries(number)
    entries[number] = found
    // begatd's own records make entries too.
    let own = accountName(of: name, number: number)
    return found.allSatisfy { $0 == own }
  }

  /// The number at which the search for a free one begins: FNV-1a of the name.
  static func start(of name: String, in range: ClosedRange<UInt32>) -> UInt32 {
    let hash = name.utf8.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return range.lowerBound + UInt32(UInt64(hash) % (UInt64(range.upperBound - range.lowerBound) + 1))
  }
}

/// The name of the user and of the group that a service's number stands for.
///
/// A name of more than 31 characters would not fit into utmp(5), and programs refuse it.  A longer one is shortened, and
/// begins with the number, as no service's name does: so no two services share one.
func accountName(of service: String, number: UInt32) -> String {
  let longest = 31
  let name = "begat-\(service)"
  return name.utf8.count <= longest ? name : String("begat-\(number)-\(service)".prefix(longest))
}
