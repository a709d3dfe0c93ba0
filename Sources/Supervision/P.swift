public let placeholderSupervision = 1
