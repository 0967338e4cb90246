using Harepd.Lab.Machine;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>A test that needs network namespaces: skipped with the reason where they are not allowed, never on CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NetworkFactAttribute : FactAttribute
{
    public NetworkFactAttribute()
    {
        if (MachineNetwork.WhyNot is { } reason && Environment.GetEnvironmentVariable("CI") != "true")
        {
            Skip = $"no network namespaces here: {reason}";
        }
    }
}
