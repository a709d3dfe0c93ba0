/// A child in an object: collections hold no values with one owner.
package final class ChildBox: Sendable {
  package let child: ChildProcess

  package init(_ child: consuming ChildProcess) { self.child = child }
}
