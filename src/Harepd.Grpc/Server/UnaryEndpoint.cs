using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Harepd.Grpc;

/// <summary>
/// Serves one unary method: reads one bounded message, runs the handler until the deadline, writes one answer.
/// The handler only returns a value and this class alone writes, so a late answer can never race the trailers of a missed deadline.
/// </summary>
internal sealed class UnaryEndpoint<TRequest, TResponse>(
    GrpcMethod<TRequest, TResponse> method,
    Func<TRequest, GrpcServerCall, ValueTask<TResponse>> handler,
    GrpcServerOptions options)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private int _running;

    public async Task ServeAsync(HttpContext context)
    {
        if (!GrpcResponse.IsGrpcRequest(context))
        {
            return;
        }

        // Routing forgives case and a final slash; the protocol does not.
        if (!string.Equals(context.Request.Path.Value, method.Path, StringComparison.Ordinal))
        {
            GrpcResponse.Fail(context, GrpcStatusCode.Unimplemented, "no such method here");
            return;
        }

        if (Interlocked.Increment(ref _running) > options.MaxConcurrentCalls)
        {
            Interlocked.Decrement(ref _running);
            GrpcResponse.Fail(context, GrpcStatusCode.ResourceExhausted, "too many calls of this method at once");
            return;
        }

        var deadline = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Task<TResponse>? pending = null;
        try
        {
            var timeout = GetTimeout(context);
            deadline.CancelAfter(timeout);
            var request = await ReadRequestAsync(context, deadline.Token);
            pending = handler(request, DescribeCall(context, timeout, deadline.Token)).AsTask();
            var response = await pending.WaitAsync(deadline.Token);
            await GrpcResponse.SucceedAsync(context, response, deadline.Token);
        }
        catch (Exception failure)
        {
            Answer(context, failure, deadline.IsCancellationRequested);
        }
        finally
        {
            Finish(pending, deadline);
        }
    }

    private TimeSpan GetTimeout(HttpContext context)
    {
        var header = context.Request.Headers[GrpcHeaders.Timeout];
        if (header.Count == 0)
        {
            return options.MaxDeadline;
        }

        if (!GrpcTimeout.TryParse(header.ToString(), out var asked))
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, "grpc-timeout is malformed");
        }

        return asked < options.MaxDeadline ? asked : options.MaxDeadline;
    }

    private async Task<TRequest> ReadRequestAsync(HttpContext context, CancellationToken deadline)
    {
        var encoding = context.Request.Headers[GrpcHeaders.Encoding].ToString();
        GrpcFrame.CheckEncoding(encoding);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(deadline);
        reading.CancelAfter(options.MaxReadTime);
        try
        {
            var (frame, body) = await ReadFrameAsync(context.Request.BodyReader, encoding, reading.Token);
            return method.Request.ParseFrom(frame.Open(body, options.MaxMessageBytes, encoding).Span);
        }
        catch (InvalidProtocolBufferException broken)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, "the request is not a message of this method", broken);
        }
        catch (OperationCanceledException) when (!deadline.IsCancellationRequested)
        {
            throw new GrpcException(GrpcStatusCode.DeadlineExceeded, "the request did not arrive in time");
        }
    }

    private async Task<(GrpcFrame Frame, byte[] Body)> ReadFrameAsync(PipeReader reader, string encoding, CancellationToken token)
    {
        var read = await reader.ReadAtLeastAsync(GrpcFrame.HeaderBytes, token);
        var header = Take(reader, read, GrpcFrame.HeaderBytes);
        var frame = GrpcFrame.Decode(header, options.MaxMessageBytes, encoding);
        var body = Array.Empty<byte>();
        if (frame.Length > 0)
        {
            read = await reader.ReadAtLeastAsync(frame.Length, token);
            body = Take(reader, read, frame.Length);
        }

        // The message is complete only with the end of the stream: a second message would make the call something else.
        read = await reader.ReadAsync(token);
        var isMore = !read.Buffer.IsEmpty;
        reader.AdvanceTo(read.Buffer.End);
        return isMore ? throw new GrpcException(GrpcStatusCode.Internal, "a unary call carries one message") : (frame, body);
    }

    private static byte[] Take(PipeReader reader, ReadResult read, int count)
    {
        if (read.Buffer.Length < count)
        {
            reader.AdvanceTo(read.Buffer.End);
            throw new GrpcException(GrpcStatusCode.Internal, "the request ended within its message");
        }

        var part = read.Buffer.Slice(0, count);
        var bytes = part.ToArray();
        reader.AdvanceTo(part.End);
        return bytes;
    }

    private static GrpcServerCall DescribeCall(HttpContext context, TimeSpan timeout, CancellationToken cancelled)
    {
        var connection = context.Connection;
        return new GrpcServerCall
        {
            Peer = connection.RemoteIpAddress is { } address ? new IPEndPoint(address, connection.RemotePort) : null,
            ClientSubject = connection.ClientCertificate?.Subject,
            Timeout = timeout,
            Cancelled = cancelled,
        };
    }

    private void Answer(HttpContext context, Exception failure, bool isLate)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        switch (failure)
        {
            case GrpcException known:
                GrpcResponse.Fail(context, known.Code, known.Detail);
                break;
            case OperationCanceledException when isLate:
                GrpcResponse.Fail(context, GrpcStatusCode.DeadlineExceeded, "the deadline passed before the answer was ready");
                break;
            case OperationCanceledException:
                GrpcResponse.Fail(context, GrpcStatusCode.Cancelled, "the server gave the call up");
                break;
            case BadHttpRequestException or IOException:
                GrpcResponse.Fail(context, GrpcStatusCode.Internal, "the request was broken off");
                break;
            default:
                options.OnFault?.Invoke(method.Path, failure);
                GrpcResponse.Fail(context, GrpcStatusCode.Unknown, "unexpected failure");
                break;
        }
    }

    private void Finish(Task<TResponse>? pending, CancellationTokenSource deadline)
    {
        if (pending is null || pending.IsCompleted)
        {
            Release(deadline);
            return;
        }

        // The handler runs on: its slot stays taken, so that slow handlers cannot pile up behind answered deadlines.
        _ = pending.ContinueWith(
            late =>
            {
                Release(deadline);
                if (late.Exception?.InnerException is { } fault and not (GrpcException or OperationCanceledException))
                {
                    options.OnFault?.Invoke(method.Path, fault);
                }
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Release(CancellationTokenSource deadline)
    {
        Interlocked.Decrement(ref _running);
        deadline.Dispose();
    }
}
