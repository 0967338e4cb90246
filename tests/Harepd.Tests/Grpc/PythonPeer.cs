using System.Diagnostics;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>
/// A foreign gRPC implementation: grpc-core under Debian's Python, with code that its own protoc makes from the repository's proto files.
/// </summary>
internal sealed class PythonPeer : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private readonly List<Process> _started = [];

    public PythonPeer()
    {
        Folder = Directory.CreateTempSubdirectory("harepd-python-").FullName;
        var proto = FindProto();
        var made = Run(
            "-m", "grpc_tools.protoc", "-I", proto, $"--python_out={Folder}", $"--grpc_python_out={Folder}",
            "models/messages.proto", "grpc/health/v1/health.proto");
        Assert.Equal("", made);

        // A package named grpc beside the library of that name would hide it: the generated health modules move aside.
        Directory.Move(Path.Combine(Folder, "grpc", "health", "v1"), Path.Combine(Folder, "health_v1"));
        Directory.Delete(Path.Combine(Folder, "grpc"), recursive: true);
        var stub = Path.Combine(Folder, "health_v1", "health_pb2_grpc.py");
        File.WriteAllText(stub, File.ReadAllText(stub).Replace("from grpc.health.v1 import", "from health_v1 import"));
    }

    public string Folder { get; }

    /// <summary>Writes a file into the folder and gives its path.</summary>
    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Runs a program to its end and gives what it printed; fails the test with its errors where it fails.</summary>
    public string Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)), "python did not end in time");
        Assert.True(process.ExitCode == 0, errors.Result);
        return output.Result;
    }

    /// <summary>Starts a server program that prints its port on the first line.</summary>
    public async Task<(Process Process, int Port)> ServeAsync(params string[] arguments)
    {
        var process = Start(arguments);
        _ = process.StandardError.ReadToEndAsync();
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process, int.Parse(line!));
    }

    public static void Signal(Process process, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    public void Dispose()
    {
        foreach (var process in _started)
        {
            try
            {
                process.Kill();
                process.WaitForExit();
            }
            catch (InvalidOperationException)
            {
                // It has ended by itself.
            }

            process.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private static string FindProto()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var proto = Path.Combine(folder.FullName, "proto");
            if (File.Exists(Path.Combine(proto, "models", "messages.proto")))
            {
                return proto;
            }
        }

        throw new DirectoryNotFoundException("the folder proto is not above the tests");
    }

    private Process Start(params string[] arguments)
    {
        var info = new ProcessStartInfo(Python)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        info.Environment["PYTHONPATH"] = Folder;
        info.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        Array.ForEach(arguments, info.ArgumentList.Add);
        var process = Process.Start(info)!;
        _started.Add(process);
        return process;
    }
}
