using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Harepd.Bench.Steering;

/// <summary>The least that can answer HAProxy's checks: a web server and an agent that look at one switch and at nothing else. The floor.</summary>
internal sealed class BareAnswers : IAsyncDisposable
{
    private static readonly byte[] Up = "up\n"u8.ToArray();
    private static readonly byte[] Down = "down\n"u8.ToArray();
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _agent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly WebApplication _web;
    private readonly Task _answering;

    private BareAnswers(WebApplication web)
    {
        _web = web;
        _agent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _agent.Listen(128);
        _answering = AnswerAsync();
    }

    /// <summary>What both say.</summary>
    public volatile bool IsUp;

    public IPEndPoint Http => new(IPAddress.Loopback, new Uri(_web.Urls.First()).Port);

    public IPEndPoint Agent => (IPEndPoint)_agent.LocalEndPoint!;

    public static async Task<BareAnswers> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var answers = new BareAnswers(builder.Build());
        answers._web.Run(context =>
        {
            context.Response.StatusCode = answers.IsUp ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        });
        await answers._web.StartAsync();
        return answers;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _answering;
        _agent.Dispose();
        await _web.DisposeAsync();
        _stop.Dispose();
    }

    private async Task AnswerAsync()
    {
        var question = new byte[64];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var client = await _agent.AcceptAsync(_stop.Token);
                await client.ReceiveAsync(question, _stop.Token);
                await client.SendAsync(IsUp ? Up : Down, _stop.Token);
                client.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // HAProxy went away, or the bench is over.
            }
        }
    }
}
