using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Harepd.Grpc;

/// <summary>
/// The way to one peer: one HTTP/2 connection, made when first needed, used by all calls, replaced when dead. Thread-safe.
/// Every call ends at its deadline whatever the peer does, and every failure is a <see cref="GrpcException"/>.
/// </summary>
public sealed class GrpcChannel : IDisposable
{
    private const int FirstReplacement = 4;
    private const int LastReplacement = 64;

    private readonly Lock _lock = new();
    private readonly PeerConnector _connector;
    private readonly GrpcChannelOptions _options;
    private readonly Uri _address;
    private HttpMessageInvoker _invoker;
    private int _unanswered;
    private int _replacement = FirstReplacement;
    private bool _isDisposed;

    /// <summary>Connects to nobody yet.</summary>
    /// <param name="host">A name, or an IPv4 or IPv6 address without brackets.</param>
    /// <param name="port">1 to 65,535.</param>
    /// <param name="options">The bounds.</param>
    public GrpcChannel(string host, int port, GrpcChannelOptions options)
    {
        _options = options;
        _connector = new PeerConnector(host, port, options);
        _address = new UriBuilder(options.Tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, host, port).Uri;
        _invoker = MakeInvoker();
    }

    /// <summary>Calls a method and waits for its answer, at most <paramref name="deadline"/>, connecting included.</summary>
    /// <exception cref="GrpcException">
    /// The peer's status; DeadlineExceeded at the deadline; Cancelled by the token; Unavailable where no connection is to be had or it broke;
    /// ResourceExhausted where the answer is too long; Internal or Unknown where it is no gRPC answer.
    /// </exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, TimeSpan deadline, CancellationToken token)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (deadline <= TimeSpan.Zero)
        {
            throw new GrpcException(GrpcStatusCode.DeadlineExceeded, "the deadline had passed before the call");
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(token);
        ending.CancelAfter(deadline);
        using var message = MakeRequest(method.Path, GrpcFrame.Encode(request), deadline);
        try
        {
            using var response = await Volatile.Read(ref _invoker).SendAsync(message, ending.Token);
            NoteAnswer();
            return method.Response.ParseFrom((await GrpcAnswer.ReadAsync(response, _options.MaxMessageBytes, ending.Token)).Span);
        }
        catch (InvalidProtocolBufferException broken)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "the answer is not a message of this method", broken);
        }
        catch (Exception failure) when (failure is not GrpcException)
        {
            throw Explain(failure, token, ending.Token);
        }
    }

    /// <summary>Ends the connection and every call on it.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _invoker.Dispose();
        }
    }

    private GrpcException Explain(Exception failure, CancellationToken caller, CancellationToken ending)
    {
        if (caller.IsCancellationRequested)
        {
            return new GrpcException(GrpcStatusCode.Cancelled, "the caller gave the call up", failure);
        }

        if (ending.IsCancellationRequested)
        {
            NoteSilence();
            return new GrpcException(GrpcStatusCode.DeadlineExceeded, "no answer before the deadline", failure);
        }

        return GrpcFailure.FromTransport(failure);
    }

    private HttpRequestMessage MakeRequest(string path, byte[] frame, TimeSpan deadline)
    {
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_address, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);
        message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        message.Headers.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, GrpcHeaders.Spoken);
        message.Headers.TryAddWithoutValidation(GrpcHeaders.Timeout, GrpcTimeout.Format(deadline));
        message.Headers.TryAddWithoutValidation("user-agent", "harepd");
        return message;
    }

    private void NoteAnswer()
    {
        Volatile.Write(ref _unanswered, 0);
        Volatile.Write(ref _replacement, FirstReplacement);
    }

    /// <summary>
    /// A connection that takes calls and answers none, while the kernels agree that it stands, may lead to nobody: after some such calls the next
    /// one dials anew, more and more rarely, so that a frozen peer does not wake up to a heap of connections.
    /// </summary>
    private void NoteSilence()
    {
        lock (_lock)
        {
            if (++_unanswered < _replacement || _isDisposed)
            {
                return;
            }

            _unanswered = 0;
            _replacement = Math.Min(_replacement * 2, LastReplacement);
            var old = _invoker;
            Volatile.Write(ref _invoker, MakeInvoker());
            old.Dispose();
        }
    }

    private HttpMessageInvoker MakeInvoker() => new(
        new SocketsHttpHandler
        {
            ConnectTimeout = _options.ConnectTimeout,
            ConnectCallback = (_, token) => _connector.ConnectAsync(token),
            EnableMultipleHttp2Connections = false,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            MaxResponseHeadersLength = 16,
            ActivityHeadersPropagator = null,
        },
        disposeHandler: true);
}
