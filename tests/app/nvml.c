/* What NVIDIA's driver library answers, for two GPUs. The names and the struct are those of its public header, nvml.h.
   The second GPU is lost after the first look at it. */

typedef struct { unsigned long long total, free, used; } nvmlMemory_t;

static int first = 1, second = 2, looks = 0;

int nvmlInitWithFlags(unsigned flags) { (void)flags; return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "unknown"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    *device = index ? &second : &first;
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, nvmlMemory_t *memory) {
    if (device == &second && looks++) return 15;
    memory->total = 8ull << 30;
    memory->used = device == &first ? 3ull << 30 : 1ull << 30;
    memory->free = memory->total - memory->used;
    return 0;
}
