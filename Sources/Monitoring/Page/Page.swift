/// A report as a page for a browser: one answer, without scripts, images or anything else to load.
///
/// Source: HTML Living Standard.
public enum Page {
  /// The media type of the page.
  public static let mediaType: StaticString = "text/html; charset=utf-8"
  /// The policy of the page: nothing is loaded but its own style sheet.
  ///
  /// Source: Content Security Policy Level 3.
  public static let contentSecurityPolicy: StaticString =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  /// How many connections are shown at most: a page of thousands helps no one.
  public static let maxConnections = 500

  /// Appends the page.
  ///
  /// - Parameter connections: the open connections; nil where the page must not show clients.
  public static func append(_ report: StatusReport, connections: ConnectionReport? = nil, to output: inout [UInt8]) {
    output.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
    output.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n")
    output.append(
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<meta http-equiv=\"refresh\" content=\"10\"/>\n")
    output.append("<title>begat: ")
    output.append(serving: report.services)
    output.append(" services serve</title>\n<style>\n")
    output.append(PageStyle.text)
    output.append("</style>\n</head>\n<body>\n")
    output.append(pageHead: report)
    output.append("<main>\n")
    output.append(serviceTable: report.services)
    output.append(refusalTable: report.services)
    output.append(endTable: report.services)
    output.append(listenerTable: report.services)
    if report.denials.count + report.omittedDenials > 0 { output.append(denialTable: report) }
    if let connections { output.append(connectionTable: connections) }
    output.append("</main>\n<footer><p>This page is loaded anew every 10 s. The same as ")
    output.append("<a href=\"metrics\">metrics</a> and as <a href=\"status.json\">JSON</a>.</p></footer>\n")
    output.append("</body>\n</html>\n")
  }
}
