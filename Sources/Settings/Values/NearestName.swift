/// The candidate that a mistyped name was probably meant to be.
///
/// - Returns: the one with the fewest single mistakes, at most three and never more than half of the name; of two such
///   the one that begins alike; nil when none is near.
public func nearestName(to name: String, among candidates: [String]) -> String? {
  var best: (name: String, distance: Int, beginning: Int)?
  for candidate in candidates {
    let limit = min(3, max(1, max(name.utf8.count, candidate.utf8.count) / 2))
    guard let distance = editDistance(name, candidate, limit: limit) else { continue }
    let beginning = zip(name.utf8, candidate.utf8).prefix { $0 == $1 }.count
    if let best, (best.distance, beginning) <= (distance, best.beginning) { continue }
    best = (candidate, distance, beginning)
  }
  return best?.name
}

/// How many bytes to insert, delete, change or swap with their neighbour to turn one text into the other.
///
/// - Returns: nil when there are more than `limit`.
///
/// Source: optimal string alignment distance.
func editDistance(_ first: String, _ second: String, limit: Int) -> Int? {
  guard abs(first.utf8.count - second.utf8.count) <= limit else { return nil }
  let first = Array(first.utf8)
  let second = Array(second.utf8)
  var beforeLast: [Int] = []
  var last = Array(0...second.count)
  for row in first.indices {
    var current = [row + 1]
    for column in second.indices {
      let change = last[column] + (first[row] == second[column] ? 0 : 1)
      var least = min(last[column + 1] + 1, current[column] + 1, change)
      if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
        least = min(least, beforeLast[column - 1] + 1)
      }
      current.append(least)
    }
    (beforeLast, last) = (last, current)
  }
  return last.last.flatMap { $0 <= limit ? $0 : nil }
}
