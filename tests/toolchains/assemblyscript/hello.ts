console.log("hello from AssemblyScript");
