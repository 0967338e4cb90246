using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Harepd.Cli;
using Harepd.Lab.Daemon;
using Harepd.Tests.Config;
using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.Cli;

/// <summary>The daemon's own process, where it must end by itself.</summary>
public sealed class StartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_address_in_use_ends_the_daemon_with_75_and_says_which()
    {
        using var other = new TcpListener(IPAddress.Parse("127.20.40.3"), 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var (exitCode, output) = await RunAsync($"gRPC: {{ bindAddress: 127.20.40.3, bindPort: {port}, neighbours: [\"127.20.40.1:10000\"] }}");

        Assert.Equal(ExitCodes.Temporary, exitCode);
        Assert.Contains($"127.20.40.3:{port}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_configuration_ends_the_daemon_with_78_and_touches_nothing()
    {
        var (exitCode, output) = await RunAsync("gRPC: { bindAddress: 127.20.40.4, bindPort: 70000 }");

        Assert.Equal(ExitCodes.Config, exitCode);
        Assert.Contains("harepd.gRPC.bindPort", output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    private async Task<(int ExitCode, string Output)> RunAsync(string keys)
    {
        using var file = new TemporaryConfig($"harepd:\n  stateDir: {_folder.File("state")}\n  runDir: {_folder.File("run")}\n  {keys}\n");
        var start = new ProcessStartInfo(HarepdBinary.Find(), ["-f", file.File, "--server-only"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using var process = Process.Start(start)!;
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            return (process.ExitCode, await output + await error);
        }
        finally
        {
            process.Kill();
        }
    }
}
