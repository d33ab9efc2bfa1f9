// Package grpc reads and writes the frames of a gRPC call with one message each way, and
// the status that ends it, over whatever speaks HTTP/2.
//
// The library that usually does this is larger than all else that takes log lines
// together; of what it offers one unary method needs the five bytes before a message and
// three trailers.
package grpc
