import Control
import JSON
import Monitoring

/// begatd's answer as `--json` prints it: the line that came, with the parts that are shown.
enum ControlJSON {
  /// - Parameter answer: what the line says.
  static func line(_ line: [UInt8], _ answer: ControlAnswer, _ view: ControlView) -> String {
    guard let value = try? JSONReader.read(line), case .object(let members) = value else { return "null\n" }
    guard view != .whole else { return value.text + "\n" }
    let shown = view.apply(answer)
    let parts = members.map { member in
      switch (member.name, shown) {
      case ("services", .status(let report)):
        JSONValue.Member(member.name, select(member.value, by: "name", report.services.map(\.name)))
      case ("connections", .connections(let report)):
        JSONValue.Member(member.name, select(member.value, by: "id", report.connections.map(\.id.description)))
      default: member
      }
    }
    return JSONValue.object(parts).text + "\n"
  }

  /// The elements whole, so that members stay which this version does not know.
  private static func select(_ value: JSONValue, by name: String, _ keys: [String]) -> JSONValue {
    guard case .array(let elements) = value else { return value }
    let byKey = Dictionary(elements.map { ($0[name]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
    return .array(keys.compactMap { byKey[$0] })
  }
}
